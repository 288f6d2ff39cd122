import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import sirv from 'sirv';
import { defineConfig, type Plugin } from 'vite';

/**
 * Lays each file's compressed twins (`.br`, `.gz`) beside it, made once with all effort: a host that knows them (nginx, Caddy,
 * Netlify, …) sends these. So does the preview, so that what is measured there is what a visitor downloads.
 */
function precompress(): Plugin {
  return {
    name: 'precompress',
    writeBundle: {
      order: 'post',
      sequential: true,
      handler({ dir = 'dist' }) {
        const names = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(
          (entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name),
        );
        for (const file of names.map((entry) => join(entry.parentPath, entry.name))) {
          const bytes = readFileSync(file);
          writeFileSync(`${file}.br`, brotliCompressSync(bytes));
          writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
        }
      },
    },
    configurePreviewServer(server) {
      // `dev` looks for files at each request: the page may be built anew while it is served.
      server.middlewares.use(sirv(server.config.build.outDir, { brotli: true, gzip: true, dev: true, etag: true }));
    },
  };
}

export default defineConfig({
  // Relative addresses: the built page runs from any folder of any host.
  base: './',
  // A missing file must answer 404 and not the start page.
  appType: 'mpa',
  publicDir: false,
  plugins: [svelte(), precompress()],
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

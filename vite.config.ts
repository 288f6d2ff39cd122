import { svelte } from '@sveltejs/vite-plugin-svelte';
import compression from 'compression';
import { defineConfig, type Plugin } from 'vite';

/** The preview compresses as a real host would, so that what is measured there is what a visitor downloads. */
function compressPreview(): Plugin {
  return {
    name: 'compress-preview',
    configurePreviewServer(server) {
      // Model and data files have no registered media type, so the default filter would leave them out.
      server.middlewares.use(compression({ filter: () => true }));
    },
  };
}

export default defineConfig({
  // Relative addresses: the built page runs from any folder of any host.
  base: './',
  // A missing file must answer 404 and not the start page.
  appType: 'mpa',
  publicDir: false,
  plugins: [svelte(), compressPreview()],
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

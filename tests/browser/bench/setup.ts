/** Before the benches: the page must be there, and the bench's own page is built, apart from it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

export default async function setup(): Promise<void> {
  if (!existsSync('dist/index.html')) throw new Error('dist/ is missing: run `cargo xtask build` first.');
  if (!existsSync(join(import.meta.dirname, '../generated/probe')))
    throw new Error('The probe is missing: run `cargo xtask bench`.');
  await build({
    configFile: false,
    root: import.meta.dirname,
    base: './',
    publicDir: false,
    logLevel: 'warn',
    build: {
      target: 'es2022',
      outDir: '../generated/bench',
      emptyOutDir: true,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 2000,
    },
  });
}

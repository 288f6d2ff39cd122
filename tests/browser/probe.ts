/** The core as wasm in a blank page of Chromium: what a test calls to compute in a browser, without the app around it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, type Page } from '@playwright/test';
import type * as Probe from './generated/probe/probe.js';

const FOLDER = join(import.meta.dirname, 'generated', 'probe');
const START = `<!doctype html><title>Probe</title><script type="module">
  import * as probe from './probe.js';
  await probe.default({ module_or_path: './probe_bg.wasm' });
  globalThis.probe = probe;
</script>`;

/** What functions that run in the page find there. */
export type ProbeScope = typeof globalThis & { probe: typeof Probe };

export const test = base.extend<{ probe: Page }>({
  probe: async ({ page }, use) => {
    if (!existsSync(FOLDER)) throw new Error(`${FOLDER} is missing: \`cargo xtask test browser\` builds it.`);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    // From disk: the server has dist/ alone, where the probe must not be.
    await page.route('**/probe/*', (route) => {
      const file = new URL(route.request().url()).pathname.split('/').at(-1);
      return file
        ? route.fulfill({ path: join(FOLDER, file) })
        : route.fulfill({ contentType: 'text/html', body: START });
    });
    await page.goto('./probe/');
    await page.waitForFunction(() => 'probe' in globalThis);
    await use(page);
    base.expect(errors).toEqual([]);
  },
});

export const { expect } = test;

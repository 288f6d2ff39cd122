/** `npm run bench`: the same server and browser as the tests, other files, and numbers instead of verdicts. */
import { defineConfig } from '@playwright/test';
import base from '../../playwright.config.ts';

export default defineConfig({
  ...base,
  testDir: '.',
  globalSetup: './bench/setup.ts',
  testMatch: '*.bench.ts',
  outputDir: '../../test-results',
  timeout: 180_000,
});

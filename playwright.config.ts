import { execFileSync } from 'node:child_process';
import { defineConfig } from '@playwright/test';

/** Found once and handed to the worker processes through the environment, so that all of them talk to one server. */
function freePort(): string {
  const script = `const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})`;
  return execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim();
}
process.env.ECQX_PORT ??= freePort();
const origin = `http://127.0.0.1:${process.env.ECQX_PORT}`;

export default defineConfig({
  testDir: 'tests/browser',
  outputDir: 'test-results',
  globalSetup: './tests/browser/setup.ts',
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 30_000,
  reporter: [['list']],
  use: {
    baseURL: `${origin}/`,
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      executablePath: process.env.ECQX_CHROME ?? '/usr/bin/chromium',
      args: [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  webServer: {
    command: `node node_modules/vite/bin/vite.js preview --host 127.0.0.1 --port ${process.env.ECQX_PORT} --strictPort`,
    cwd: import.meta.dirname,
    url: origin,
    stdout: 'ignore',
  },
});

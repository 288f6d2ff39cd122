/** Wherever the page is put: any folder of any host, plain files, nothing but its own host. */
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { expect, test } from './lab.ts';

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const FOLDER = '/some/where/deep/';

/** The simplest of hosts: no compression, and no media type for wasm. */
function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://host').pathname;
    const file = join('dist', normalize(path.slice(FOLDER.length) || 'index.html'));
    if (!path.startsWith(FOLDER) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

test('runs from a folder of a plain file server', async ({ lab, page }) => {
  const server = await serve();
  try {
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}${FOLDER}#/explore?method=ecq&bits=5&lambda=0.1&p=0.1`);
    await lab.settled();
    await expect(lab.sentence).toContainText('ECQ, 5 bit, λ 0.1,');
    expect((await lab.pictures('Cluster occupancy')).length).toBeGreaterThan(1000);
  } finally {
    server.close();
  }
});

test('nothing of tests and benches is shipped', () => {
  const modules = readdirSync('dist/assets').filter((name) => name.endsWith('.wasm'));
  expect(modules.map((name) => name.slice(0, name.indexOf('-'))).sort()).toEqual(['charts_bg', 'engine_bg']);
});

test('a strict policy forbids every other host', async ({ lab, page }) => {
  await lab.open();
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe-inline|unsafe-eval(?<!wasm-unsafe-eval)|https?:|\*/);
});

test.describe('when someone tries', () => {
  test.use({ expectedErrors: /Content Security Policy|Failed to fetch/ });

  test('a request to another host does not leave', async ({ lab, page }) => {
    await lab.open();
    const left = await page.evaluate(() =>
      fetch('http://127.0.0.2:9/').then(
        () => true,
        () => false,
      ),
    );
    expect(left).toBe(false);
  });
});

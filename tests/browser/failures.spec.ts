/** What goes wrong with files, engine and browser: one clear sentence each, and a page that stays usable. */
import type { Page, Worker } from '@playwright/test';
import { expect, test, type Lab } from './lab.ts';

// The browser's own line about a file that did not arrive.
test.use({ expectedErrors: /Failed to load resource/ });

const FILES = [
  { address: /\/digits-mlp-[^/]*\.safetensors$/, name: 'digits-mlp.safetensors' },
  { address: /\/digits-(?!mlp-)[^/]*\.safetensors$/, name: 'digits.safetensors' },
  { address: /\/engine_bg-[^/]*\.wasm$/, name: 'engine_bg.wasm' },
];

/** The settings can still be changed, and are kept until there is an engine again. */
async function staysUsable(lab: Lab): Promise<void> {
  await lab.slider('Bit width').fill('6');
  await expect(lab.field('Bit width')).toHaveValue('6');
  await expect(lab.page.locator('main')).toHaveAttribute('aria-busy', 'false');
}

async function engineProblem(page: Page): Promise<string> {
  const alert = page.locator('.notice.problem [role="alert"]');
  await expect(alert).toHaveCount(1);
  return alert.innerText();
}

async function engineWorker(page: Page): Promise<Worker> {
  await expect.poll(() => page.workers().length).toBeGreaterThan(0);
  const worker = page.workers().at(-1);
  if (!worker) throw new Error('no worker');
  return worker;
}

for (const { address, name } of FILES) {
  const ways = {
    'is missing': (page: Page) => page.route(address, (route) => route.fulfill({ status: 404, body: '' })),
    'cannot be reached': (page: Page) => page.route(address, (route) => route.abort()),
    'is cut off': (page: Page) =>
      page.route(address, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: (await response.body()).subarray(0, 900) });
      }),
    'is something else': (page: Page) =>
      page.route(address, (route) =>
        route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Hello</title>' }),
      ),
    'is empty': (page: Page) => page.route(address, (route) => route.fulfill({ body: '' })),
  };
  for (const [how, spoil] of Object.entries(ways)) {
    test(`${name} ${how}`, async ({ lab, page }) => {
      await spoil(page);
      await page.goto('./');
      const message = await engineProblem(page);
      expect(message).toContain(name);
      expect(message).toMatch(/Try again/);
      await staysUsable(lab);
      await page.unroute(address);
      await page.getByRole('button', { name: 'Try again' }).click();
      await lab.settled();
      await expect(lab.sentence).toContainText('6 bit');
      await expect(page.locator('.notice')).toHaveCount(0);
    });
  }
}

test('a model with another header is refused in one sentence', async ({ lab, page }) => {
  await page.route(FILES[0]?.address ?? '', async (route) => {
    const response = await route.fetch();
    const body = await response.body();
    body.write('~~~~', 12);
    await route.fulfill({ response, body });
  });
  await page.goto('./');
  expect(await engineProblem(page)).toContain('digits-mlp.safetensors');
  await staysUsable(lab);
});

test('without the drawing module, numbers and tables still work', async ({ lab, page }) => {
  await page.route('**/charts_bg-*.wasm', (route) => route.fulfill({ status: 404, body: '' }));
  await lab.open();
  await expect(page.locator('.notice.problem')).toContainText('charts_bg.wasm');
  const before = await lab.table('Cluster occupancy');
  await lab.drag('Entropy weight λ', 0.4, 0.8);
  await lab.settled();
  expect(await lab.table('Cluster occupancy')).not.toEqual(before);
  await page.unroute('**/charts_bg-*.wasm');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('.notice')).toHaveCount(0);
  expect(await lab.pictures('Accuracy')).toMatch(/^data:image\/png/);
});

test('a browser without WebAssembly is told so', async ({ lab, page }) => {
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebAssembly'));
  await page.goto('./');
  await expect(page.locator('.notice')).toHaveCount(1);
  await expect(lab.notice('wasm/unsupported')).toContainText('WebAssembly');
  await staysUsable(lab);
});

test('a browser without WebAssembly SIMD is told so', async ({ lab, page }) => {
  await page.addInitScript(() => (WebAssembly.validate = () => false));
  await page.goto('./');
  await expect(lab.notice('wasm/unsupported')).toContainText('SIMD');
  await staysUsable(lab);
});

const KILLS: Record<string, (worker: Worker) => Promise<unknown>> = {
  'ends itself': (worker) => worker.evaluate(() => self.close()),
  'throws outside any call': (worker) =>
    worker.evaluate(
      () =>
        void setTimeout(() => {
          throw new Error('boom');
        }),
    ),
  'breaks within a call': (worker) =>
    worker.evaluate(() => {
      const scope = globalThis as unknown as { postMessage: (message: { kind: string }) => void };
      const post = scope.postMessage.bind(scope);
      scope.postMessage = (message) => {
        if (message.kind === 'progress') throw new WebAssembly.RuntimeError('unreachable');
        post(message);
      };
    }),
};

for (const [how, kill] of Object.entries(KILLS)) {
  test(`a worker that ${how} is replaced, and the settings are kept`, async ({ lab, page }) => {
    await lab.open('method=ecqx&bits=3&lambda=0.1&p=0.1');
    const sparsity = await lab.metric('sparsity');
    await kill(await engineWorker(page)).catch(() => undefined);
    if (how === 'breaks within a call') await lab.slider('Bit width').fill('5');
    await expect(lab.notice('engine/restarted')).toHaveText(
      /^The engine stopped \(.+\) and was restarted; your settings are kept\.$/,
    );
    await expect(lab.notice('engine/restarted')).toHaveCount(1);
    await lab.slider('Bit width').fill('5');
    await lab.settled();
    await expect(lab.sentence).toContainText('ECQx, 5 bit, λ 0.1,');
    await lab.slider('Bit width').fill('3');
    await lab.settled();
    expect(await lab.metric('sparsity')).toBe(sparsity);
    await page.getByRole('button', { name: 'Close this message' }).click();
    await expect(page.locator('.notice')).toHaveCount(0);
  });
}

test('where the browser has no locks (plain http), a silent death is noticed by silence', async ({ lab, page }) => {
  await page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'locks'));
  await lab.open('method=ecq&bits=4&lambda=0.1&p=0.1');
  await (await engineWorker(page)).evaluate(() => self.close()).catch(() => undefined);
  await expect(lab.notice('engine/restarted')).toHaveCount(1, { timeout: 20_000 });
  await lab.slider('Bit width').fill('5');
  await lab.settled();
  await expect(lab.sentence).toContainText('5 bit');
});

test('an engine that keeps dying is left off until it is asked for', async ({ lab, page }) => {
  await lab.open();
  for (let i = 0; i < 3; i++) {
    const worker = await engineWorker(page);
    await worker.evaluate(() => self.close()).catch(() => undefined);
    if (i < 2) await expect.poll(() => page.workers().some((w) => w !== worker)).toBe(true);
    if (i < 2) await lab.settled();
  }
  await expect(lab.notice('engine/stopped')).toContainText('three times');
  await staysUsable(lab);
  await page.getByRole('button', { name: 'Restart engine' }).click();
  await lab.settled();
  await expect(lab.sentence).toContainText('6 bit');
  await expect(page.locator('.notice')).toHaveCount(0);
});

test('a worker that dies in the middle of a drag does not stop the drag', async ({ lab, page }) => {
  await lab.open('method=ecq&bits=4&lambda=0.1&p=0.1');
  const box = await lab.slider('Entropy weight λ').boundingBox();
  if (!box) throw new Error('no slider');
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.2, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.4, y, { steps: 8 });
  await (await engineWorker(page)).evaluate(() => self.close()).catch(() => undefined);
  await page.mouse.move(box.x + box.width / 2, y, { steps: 8 });
  await page.mouse.up();
  await expect(lab.notice('engine/restarted')).toHaveCount(1);
  await lab.settled();
  await expect(lab.sentence).toContainText('λ 0.125,');
});

/** A1: slider input to repainted occupancy and sparsity. A2: to the final accuracy. A4: first visit to real numbers. */
import { expect, test } from './lab.ts';
import { printTable } from './table.ts';

const REPEATS = 30;
const rows: string[][] = [];

function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

function report(id: string, what: string, values: number[], unit: string, digits = 1): void {
  rows.push([id, what, quantile(values, 0.5).toFixed(digits), quantile(values, 0.95).toFixed(digits), unit]);
}

test.afterAll(() => printTable('The page', ['id', 'what', 'median', 'p95', 'unit'], rows));

for (const [name, from, to] of [
  ['Bit width', 0, 1],
  ['Entropy weight λ', 0.2, 0.8],
  ['Relevance scaling', 0, 1],
] as const) {
  test(`A1, A2: ${name}`, async ({ lab, page }) => {
    await lab.open('method=ecqx&bits=4&lambda=0.12&p=0.1');
    const box = await lab.slider(name).boundingBox();
    if (!box) throw new Error('no slider');
    const y = box.y + box.height / 2;
    await page.evaluate(() => {
      const store = globalThis as unknown as { finals: number[]; input: number; quiet: () => Promise<void> };
      store.finals = [];
      store.input = 0;
      addEventListener('pointerrawupdate', (event) => (store.input = event.timeStamp), { capture: true });
      const [accuracy, main] = [document.querySelector('[data-metric="accuracy"]'), document.querySelector('main')];
      if (!accuracy || !main) throw new Error('no accuracy');
      new MutationObserver(() => {
        if (accuracy.getAttribute('data-stage') === 'final') store.finals.push(performance.now() - store.input);
      }).observe(accuracy, { attributeFilter: ['data-stage'] });
      // Waited for within the page: asking from outside again and again would be measured along with it.
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      store.quiet = async () => {
        do await frame();
        while (main.getAttribute('aria-busy') === 'true');
        for (let i = 0; i < 4; i++) await frame();
      };
    });
    await page.mouse.move(box.x + box.width * from, y);
    await page.mouse.down();
    // Pressing moves the slider already; what is measured begins when that is done.
    await page.evaluate(async () => {
      const store = globalThis as unknown as { finals: number[]; quiet: () => Promise<void> };
      await store.quiet();
      store.finals = [];
    });
    const redraws: number[] = [];
    for (let i = 1; redraws.length < REPEATS; i++) {
      // A third of the track and more at a time, so that every move lands on another value.
      const share = ((i * 11) % 31) / 30;
      const count = await page.evaluate(() => (globalThis as unknown as { finals: number[] }).finals.length);
      await page.mouse.move(box.x + box.width * (from + (to - from) * share), y);
      await page.evaluate(() => (globalThis as unknown as { quiet: () => Promise<void> }).quiet());
      const counted = await page.evaluate(() => (globalThis as unknown as { finals: number[] }).finals.length);
      expect(counted, 'every move is a new state').toBe(count + 1);
      redraws.push(await lab.metric('latency'));
    }
    await page.mouse.up();
    const finals = await page.evaluate(() => (globalThis as unknown as { finals: number[] }).finals);
    report('A1', `${name}: input to repainted figures`, redraws, 'ms');
    report('A2', `${name}: input to final accuracy`, finals, 'ms');
  });
}

test('A4: first visit', async ({ browser, baseURL }) => {
  const times: number[] = [];
  const bytes: number[] = [];
  for (let i = 0; i < 10; i++) {
    const context = await browser.newContext({ baseURL: baseURL ?? '', viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    const sizes: Promise<{ responseBodySize: number; responseHeadersSize: number }>[] = [];
    context.on('requestfinished', (request) => sizes.push(request.sizes()));
    await page.addInitScript(() => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector('[data-metric="accuracy"][data-stage="final"]')) return;
        (globalThis as unknown as { realAt: number }).realAt = performance.now();
        observer.disconnect();
      }).observe(document, { subtree: true, childList: true, attributes: true });
    });
    await page.goto('./', { waitUntil: 'commit' });
    await expect(page.locator('[data-metric="accuracy"]')).toHaveAttribute('data-stage', 'final');
    times.push(await page.evaluate(() => (globalThis as unknown as { realAt: number }).realAt));
    const received = await Promise.all(sizes);
    bytes.push(received.reduce((sum, size) => sum + size.responseBodySize + size.responseHeadersSize, 0) / 1000);
    await context.close();
  }
  report('A4', 'first visit to real numbers', times, 'ms', 0);
  report('A4', 'bytes before the first interaction', bytes, 'kB', 0);
});

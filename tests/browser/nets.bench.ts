/** Our nets beside TensorFlow.js, on the same nets, samples, weights and batches, one thread each; and beside native. */
import { join } from 'node:path';
import { expect, test as base, type Page } from '@playwright/test';
import { nativeTimes } from './bench/native.ts';
import { NETS } from './bench/nets.ts';
import type { Bench, ProductRate, Work } from './bench/page.ts';
import { printTable } from './table.ts';

/** What functions that run in the page find there. */
type BenchScope = typeof globalThis & { bench: Bench };

/** An honest bench does the same work: losses and logits of all engines agree so far, relative to the largest. */
const SAME = 1e-3;
const FOLDER = join(import.meta.dirname, 'generated', 'bench');
/** Shares of the processor's peak and of our native speed to reach. */
const TARGETS = { products: 0.65, native: 0.5 };

/** Below this the machine had other work, and times are no longer those of the engines alone. */
const QUIET = 0.9;

const work: Work[] = [];
let products: ProductRate[] = [];
let peer = '';

const test = base.extend<{ bench: Page }>({
  bench: async ({ page, baseURL }, use) => {
    const files: string[] = [];
    page.on('request', (request) => files.push(request.url()));
    await page.route('**/bench/**', (route) => {
      const path = new URL(route.request().url()).pathname.split('/bench/')[1] ?? '';
      return route.fulfill({ path: join(FOLDER, path) });
    });
    await page.goto('./bench/index.html');
    await page.waitForFunction(() => 'bench' in globalThis);
    const { version, simd, threads } = await page.evaluate(() => (globalThis as BenchScope).bench.start());
    expect({ simd, threads }).toEqual({ simd: true, threads: 1 });
    const loaded = files.filter((file) => /tfjs-backend-wasm.*\.wasm$/.test(file));
    expect(loaded, 'the build with vector instructions, without threads').toHaveLength(1);
    expect(loaded[0]).toMatch(/wasm-simd/);
    peer = `TensorFlow.js ${version}`;
    await use(page);
    expect(
      files.filter((file) => !file.startsWith(baseURL ?? '')),
      'requests to other hosts',
    ).toEqual([]);
  },
});

// Pure JavaScript takes its time, on a busy machine more so.
test.describe.configure({ timeout: 600_000 });

for (const { name } of NETS) {
  test(`beside TensorFlow.js: ${name}`, async ({ bench }) => {
    const found = await bench.evaluate((name) => (globalThis as BenchScope).bench.net(name), name);
    for (const { what, deviations } of found) {
      expect(Object.keys(deviations).length, `${what}: a peer must be able to do it`).toBeGreaterThan(0);
      for (const [engine, deviation] of Object.entries(deviations)) {
        expect(deviation <= SAME, `${what}: ${engine} differs from ours by ${deviation}`).toBe(true);
      }
    }
    work.push(...found);
  });
}

test('matrix products', async ({ bench }) => {
  products = await bench.evaluate(() => (globalThis as BenchScope).bench.products());
});

const giga = (rate: number) => (rate / 1e9).toFixed(1);
const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
const milliseconds = (time: number | null | undefined) =>
  time ? time.toFixed(time < 10 ? 2 : time < 100 ? 1 : 0) : '–';

function workRow({ net, what, times, target, rate, peak }: Work, native: Map<string, number>): string[] {
  const { ours = null, ...peers } = times;
  const best = Math.min(...Object.values(peers).filter((time) => time !== null));
  const own = native.get(`nets/${net}/${what}`);
  return [
    net,
    what,
    milliseconds(ours),
    ...Object.values(peers).map(milliseconds),
    (best / (ours ?? Number.NaN)).toFixed(2),
    `≥ ${target}`,
    giga(rate),
    percent(rate / peak.rate),
    milliseconds(own),
    own && ours ? percent(own / ours) : '–',
  ];
}

/** Share of the peak over several products: what they would take at the peak, of what they took. */
function share(rates: ProductRate[]): number {
  const sum = (of: (rate: ProductRate) => number) => rates.reduce((total, rate) => total + of(rate), 0);
  return sum(({ flop, peak }) => (1e3 * flop) / peak.rate) / sum(({ time }) => time);
}

test.afterAll(() => {
  const native = nativeTimes(process.env.ECQX_CRITERION ?? 'target/criterion');
  const peers = Object.keys(work[0]?.times ?? {}).filter((name) => name !== 'ours');
  if (products.length > 0) {
    const rows = products.map((rate) => [
      rate.net,
      rate.call.pass,
      rate.call.update,
      [rate.call.rows, rate.call.depth, rate.call.columns].join(' × '),
      giga((1e3 * rate.flop) / rate.time),
      percent(share([rate])),
    ]);
    printTable(
      'Matrix products, rows × depth × columns; those of convolutions on plain matrices of the same size',
      ['net', 'pass', 'update', 'shape', 'GFLOP/s', 'of peak'],
      rows,
    );
  }
  if (work.length > 0) {
    const head = ['net', 'what', 'ours ms', ...peers.map((name) => `${name} ms`), 'best peer / ours', 'target'];
    const title = `Nets, one thread each, beside ${peer}; native speed to reach: ${percent(TARGETS.native)}`;
    printTable(
      title,
      [...head, 'GFLOP/s', 'of peak', 'native ms', 'of native'],
      work.map((one) => workRow(one, native)),
    );
  }
  if (products.length > 0) {
    const peak = giga(products[0]?.peak.rate ?? Number.NaN);
    process.stdout.write(
      `\nAll matrix products: ${percent(share(products))} of the peak of ${peak} GFLOP/s, target ≥ ${percent(TARGETS.products)}\n`,
    );
  }
  const quiet = Math.min(...[...work, ...products].map(({ peak }) => peak.quiet));
  if (quiet < QUIET) {
    process.stdout.write(
      `The machine was busy: at times only ${percent(quiet)} of the peak was to be had. Measure again on a quiet one.\n`,
    );
  }
});

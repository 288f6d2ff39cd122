/** What a visitor does first: look, drag, compare, share the link. */
import { expect, test } from './lab.ts';

test('opens with real numbers, a sentence and three figures', async ({ lab, page }) => {
  await lab.open();
  expect(await lab.metric('float-accuracy')).toBeGreaterThan(0.9);
  expect(await lab.metric('accuracy')).toBeGreaterThan(0.5);
  expect(await lab.metric('sparsity')).toBeGreaterThan(0);
  expect(await lab.metric('entropy')).toBeGreaterThan(0);
  await expect(lab.sentence).toHaveText(
    /^ECQx, \d bit, λ [\d.]+, relevance on: [\d.]+ % correct \(float [\d.]+ %\), [<>]?\d+ % zeros, [\d.]+ bits per weight$/,
  );
  for (const name of ['Cluster occupancy', 'Sparsity per layer', 'Accuracy'] as const) {
    await expect(lab.figure(name)).toBeVisible();
    await expect(lab.figure(name)).toHaveAccessibleDescription(/./);
    expect((await lab.table(name)).length).toBeGreaterThan(0);
  }
  await expect(lab.figure('Cluster occupancy').getByRole('img')).toHaveCount(3);
  expect(await page.locator('[data-metric="beta"]').count()).toBe(3);
  await expect.poll(() => lab.metric('latency')).toBeGreaterThan(0);
});

test('fits on the first screen of a laptop, in few words', async ({ lab, page }) => {
  await lab.open();
  for (const name of ['Cluster occupancy', 'Sparsity per layer', 'Accuracy'] as const) {
    await expect(lab.figure(name)).toBeInViewport({ ratio: 1 });
  }
  for (const name of ['Bit width', 'Entropy weight λ', 'Relevance scaling'] as const) {
    await expect(lab.slider(name)).toBeInViewport({ ratio: 1 });
  }
  const prose = await page
    .locator('p:visible:not(.visually-hidden)')
    .evaluateAll((all) =>
      all.filter((p) => p.getBoundingClientRect().top < innerHeight).map((p) => (p as HTMLElement).innerText),
    );
  const words = prose
    .join(' ')
    .split(/\s+/)
    .filter((word) => /\p{L}/u.test(word));
  expect(words.length).toBeLessThan(60);
});

for (const [name, from, to] of [
  ['Bit width', 0.34, 0.01],
  ['Entropy weight λ', 0.4, 0.75],
  ['Relevance scaling', 0.2, 0.0],
] as const) {
  test(`dragging ${name} changes occupancy, sparsity and accuracy`, async ({ lab }) => {
    await lab.open('method=ecqx&bits=4&lambda=0.2&p=0.1');
    const before = {
      picture: await lab.pictures('Cluster occupancy'),
      bars: await lab.pictures('Sparsity per layer'),
      table: await lab.table('Cluster occupancy'),
      sparsity: await lab.metric('sparsity'),
      accuracy: await lab.metric('accuracy'),
    };
    await lab.drag(name, from, to);
    await lab.settled();
    expect(await lab.pictures('Cluster occupancy')).not.toBe(before.picture);
    expect(await lab.pictures('Sparsity per layer')).not.toBe(before.bars);
    expect(await lab.table('Cluster occupancy')).not.toEqual(before.table);
    expect(await lab.metric('sparsity')).not.toBe(before.sparsity);
    expect(await lab.metric('accuracy')).not.toBe(before.accuracy);
    await expect(lab.figure('Accuracy').locator('thead')).toContainText(name);
    expect((await lab.table('Accuracy')).length).toBeGreaterThan(1);
  });
}

test('a larger entropy weight makes more zeros', async ({ lab }) => {
  await lab.open('method=ecq&bits=4&lambda=0&p=0.1');
  let last = -1;
  for (const lambda of ['0', '0.01', '0.05', '0.2', '0.6']) {
    await lab.slider('Entropy weight λ').fill(lambda);
    await lab.settled();
    const sparsity = await lab.metric('sparsity');
    expect(sparsity).toBeGreaterThanOrEqual(last);
    last = sparsity;
  }
  expect(last).toBeGreaterThan(0.9);
});

test('without an entropy weight every method is nearest neighbour', async ({ lab }) => {
  for (const method of ['ecq', 'ecqx', 'nearest']) {
    await lab.open(`method=${method}&bits=3&lambda=0&p=0.1`);
    for (const row of await lab.table('Cluster occupancy')) expect(row[3]).toBe(row[4]);
  }
  await lab.open('method=ecqx&bits=3&lambda=0.1&p=0.1');
  expect((await lab.table('Cluster occupancy')).some((row) => row[3] !== row[4])).toBe(true);
});

test('says where relevance scaling has no effect', async ({ lab }) => {
  await lab.open('method=ecqx&bits=3&lambda=0.1&p=0.1');
  await expect(lab.slider('Relevance scaling')).toHaveAccessibleDescription(/Zeros given back/);
  await lab.method('ECQ').check();
  await expect(lab.slider('Relevance scaling')).toHaveAccessibleDescription(
    'No effect here: only ECQx uses relevance.',
  );
  await expect(lab.sentence).toContainText('relevance off');
  await lab.method('nearest neighbour').check();
  await expect(lab.slider('Entropy weight λ')).toHaveAccessibleDescription(/ignores λ/);
  await expect(lab.sentence).toContainText(/^Nearest neighbour, 3 bit:/);
  await lab.method('ECQx').check();
  await lab.slider('Entropy weight λ').fill('0');
  await expect(lab.slider('Relevance scaling')).toHaveAccessibleDescription('No effect while λ is 0.');
  await lab.settled();
});

test('during a fast drag the newest setting wins', async ({ lab, page }) => {
  await lab.open();
  await lab.drag('Entropy weight λ', 0.1, 0.95, 150);
  await lab.drag('Entropy weight λ', 0.95, 0.5, 150);
  await lab.settled();
  const lambda = Number(await lab.slider('Entropy weight λ').inputValue());
  await expect(lab.sentence).toContainText(`λ ${lambda},`);
  const shown = [await lab.metric('accuracy'), await lab.metric('sparsity')];
  await expect.poll(() => new URL(page.url()).hash).toContain(`lambda=${lambda}&`);
  await page.reload();
  await lab.settled();
  expect([await lab.metric('accuracy'), await lab.metric('sparsity')]).toEqual(shown);
});

test('the address is the state', async ({ lab, page, context }) => {
  await lab.open();
  await lab.method('ECQ').check();
  await lab.slider('Bit width').fill('5');
  await lab.slider('Entropy weight λ').fill('0.0345');
  await lab.slider('Relevance scaling').fill('0.225');
  await lab.settled();
  await expect.poll(() => new URL(page.url()).hash).toBe('#/explore?method=ecq&bits=5&lambda=0.0345&p=0.225');
  const text = await lab.sentence.innerText();
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.locator('.sentence')).toContainText('5 bit, λ 0.0345');
  await expect(other.locator('[data-metric="accuracy"]')).toHaveAttribute('data-stage', 'final');
  expect(await other.locator('.sentence').innerText()).toBe(text);
  await other.close();
  // A link pasted into the open page counts as well.
  await page.goto('./#/explore?method=nearest&bits=2&lambda=0&p=0');
  await expect(lab.sentence).toContainText('Nearest neighbour, 2 bit');
  await lab.settled();
});

test('a bad link costs one sentence and the defaults of its bad fields', async ({ lab }) => {
  await lab.open('method=magic&bits=99&lambda=0.2&p=NaN');
  await expect(lab.notice('link/bad')).toHaveText(/magic.*99.*NaN|bits/);
  await expect(lab.sentence).toContainText('ECQx, 4 bit, λ 0.2,');
  await lab.slider('Bit width').fill('3');
  await expect(lab.notice('link/bad')).toHaveCount(0);
  await lab.settled();
});

test('nothing jumps while it loads and while a slider is dragged', async ({ lab, page }) => {
  await page.addInitScript(() => {
    const store = globalThis as unknown as { shifts: number };
    store.shifts = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) store.shifts += (entry as unknown as { value: number }).value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await lab.open();
  await lab.drag('Entropy weight λ', 0.3, 1, 60);
  await lab.drag('Entropy weight λ', 1, 0, 60);
  await lab.drag('Bit width', 0.3, 1, 20);
  await lab.drag('Relevance scaling', 0, 1, 20);
  await lab.settled();
  expect(await page.evaluate(() => (globalThis as unknown as { shifts: number }).shifts)).toBeLessThanOrEqual(0.02);
});

/** The close looks: relevance maps of an image, and each weight of a layer with its relevance. */
import { COMPOSITES, MODELS } from '../../www/src/lib/state/settings.ts';
import { expect, test } from './lab.ts';

const sum = (values: (number | null | undefined)[]) => values.reduce<number>((total, value) => total + (value ?? 0), 0);

test('the difference of the maps is that of their values, and the table holds all pixels', async ({ lab }) => {
  await lab.open('method=ecqx&bits=2&lambda=0.1&p=0.1&image=7');
  const rows = await lab.table('Relevance maps');
  expect(rows).toHaveLength(64);
  for (const [, , float, quantized, difference] of rows) {
    expect(difference).toBeCloseTo((quantized ?? 0) - (float ?? 0), 5);
  }
  expect(sum(rows.map(([, image]) => image))).toBeGreaterThan(5);
  expect(Math.abs(sum(rows.map(([, , , , difference]) => difference)))).toBeGreaterThan(0);
  await expect(lab.figure('Relevance maps')).toContainText('against class');
});

test('another image, by buttons, by number, and from a link', async ({ lab, page }) => {
  await lab.open();
  const first = await lab.pictures('Relevance maps');
  await page.getByRole('button', { name: 'Next image' }).click();
  await lab.settled();
  expect(await lab.pictures('Relevance maps')).not.toBe(first);
  await expect(page).toHaveURL(/image=1$/);
  const number = page.getByRole('spinbutton', { name: 'Number of the test image' });
  await number.fill('360');
  await number.press('Enter');
  await lab.settled();
  await expect(page).toHaveURL(/image=359$/);
  // Past the last comes the first; a number that is none changes nothing.
  await page.getByRole('button', { name: 'Next image' }).click();
  await lab.settled();
  await expect(page).not.toHaveURL(/image=/);
  expect(await lab.pictures('Relevance maps')).toBe(first);
  await number.fill('361');
  await number.press('Enter');
  await expect(number).toHaveValue('1');
});

test('quantization changes the quantized map and leaves the float one', async ({ lab }) => {
  await lab.open('method=ecq&bits=8&lambda=0&p=0.1');
  const before = await lab.table('Relevance maps');
  await lab.drag('Bit width', 0.9, 0.02);
  await expect(lab.sentence).toContainText('2 bit');
  await lab.settled();
  const after = await lab.table('Relevance maps');
  expect(after.map(([, , float]) => float)).toEqual(before.map(([, , float]) => float));
  expect(after.map(([, , , quantized]) => quantized)).not.toEqual(before.map(([, , , quantized]) => quantized));
});

test('a digit drawn with the mouse is read, explained, and comes back from its link', async ({ lab, page }) => {
  await lab.open();
  await page.getByText('Draw', { exact: true }).click();
  const pad = page.getByRole('application', { name: 'Drawing pad' });
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  if (!box) throw new Error('the pad is not on the screen');
  const at = (x: number, y: number) => [box.x + box.width * x, box.y + box.height * y] as const;
  await page.mouse.move(...at(0.3, 0.2));
  await page.mouse.down();
  await page.mouse.move(...at(0.7, 0.2), { steps: 8 });
  await page.mouse.move(...at(0.45, 0.85), { steps: 10 });
  await page.mouse.up();
  await lab.settled();
  const maps = lab.figure('Relevance maps');
  await expect(maps).toContainText('against class 7');
  await expect(page).toHaveURL(/drawing=[0-9a-g]{64}$/);
  const drawn = await lab.table('Relevance maps');
  await page.reload();
  await lab.settled();
  expect(await lab.table('Relevance maps')).toEqual(drawn);
  await page.getByRole('button', { name: 'Clear' }).click();
  await lab.settled();
  expect(sum((await lab.table('Relevance maps')).map(([, image]) => image))).toBe(0);
});

test('a digit drawn with the keyboard alone', async ({ lab, page }) => {
  await lab.open();
  await page.getByRole('radio', { name: 'Test image' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('application', { name: 'Drawing pad' })).toBeFocused();
  await page.keyboard.press('Space');
  for (let i = 0; i < 9; i++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await lab.settled();
  await expect(lab.figure('Relevance maps')).toContainText('against class 1');
  await page.keyboard.press('Backspace');
  await lab.settled();
  expect(sum((await lab.table('Relevance maps')).map(([, image]) => image))).toBe(0);
});

test.describe('by touch', () => {
  test.use({ hasTouch: true, viewport: { width: 390, height: 844 } });

  test('a finger on the pad leaves ink and does not scroll', async ({ lab, page }) => {
    await lab.open();
    await page.getByText('Draw', { exact: true }).tap();
    const pad = page.getByRole('application', { name: 'Drawing pad' });
    await pad.evaluate((element) => element.scrollIntoView({ block: 'center' }));
    await pad.tap();
    await lab.settled();
    expect(sum((await lab.table('Relevance maps')).map(([, image]) => image))).toBeGreaterThan(0);
    expect(await pad.evaluate((element) => getComputedStyle(element).touchAction)).toBe('none');
  });
});

test('every composite works, and with it the relevance of weights and maps', async ({ lab }) => {
  await lab.open('model=digits-cnn&method=ecqx&bits=4&lambda=0.05&p=0.1');
  const seen = new Set<string>();
  for (const composite of COMPOSITES) {
    await lab.choice('LRP composite').selectOption(composite);
    await lab.settled();
    const rows = await lab.table('Relevance maps');
    expect(rows.flat().every((value) => value === null || Number.isFinite(value))).toBe(true);
    seen.add(JSON.stringify(rows));
  }
  expect(seen.size).toBe(COMPOSITES.length);
});

test('every net of the list opens, with its own layers', async ({ lab, page }) => {
  await lab.open();
  for (const model of [...MODELS].reverse()) {
    await lab.choice('Model').selectOption(model);
    await lab.settled();
    const layers = await lab.choice('Layer').locator('option').allTextContents();
    for (const layer of layers) {
      await lab.choice('Layer').selectOption(layer);
      await lab.settled();
      await expect(lab.figure('Weight and relevance')).toContainText('saved by relevance');
    }
    await expect(page.locator(`[data-layer="${layers[0]}"]`).first()).toBeAttached();
    expect(await lab.metric('float-accuracy')).toBeGreaterThan(0.98);
  }
  await expect(page).toHaveURL(/layer=/);
});

test('of nets chosen in quick succession the last one stays', async ({ lab, page }) => {
  await lab.open();
  for (const pause of [0, 40, 150]) {
    for (const sequence of [
      ['digits-resnet', 'digits-mlp', 'digits-resnet', 'digits-mlp'],
      ['digits-cnn', 'spirals-mlp', 'digits-cnn', 'spirals-mlp'],
      ['digits-mlp', 'digits-cnn', 'digits-mlp'],
    ]) {
      for (const model of sequence) {
        await lab.choice('Model').selectOption(model);
        await page.waitForTimeout(pause);
      }
      await lab.settled();
      const last = sequence.at(-1) === 'spirals-mlp' ? 64 : 8192;
      await expect(
        page.getByRole('region', { name: 'Layers: values' }).locator('[data-layer="fc1"] [data-value]').first(),
      ).toHaveAttribute('data-value', String(last));
    }
  }
});

test('where the input is no image, the page says so', async ({ lab }) => {
  await lab.open('model=spirals-mlp&method=ecqx&bits=4&lambda=0.05&p=0.1');
  await expect(lab.figure('Relevance maps')).toContainText('no image');
  await expect(lab.sentence.locator('..')).toContainText('spirals');
});

test('what became of the weights adds up to the zero cluster', async ({ lab, page }) => {
  await lab.open('method=ecqx&bits=4&lambda=0.08&p=0.1&layer=fc2');
  const counts = await page.locator('figure', { hasText: 'Weight and relevance' }).locator('li').allTextContents();
  const [kept = 0, zeroed = 0, saved = 0, givenUp = 0] = counts.map((text) => Number(text.replace(/\D/g, '')));
  expect(saved).toBeGreaterThan(0);
  const occupancy = page.locator('[data-layer="fc2"][data-cluster="0"] [data-value]');
  const [, now = 0, , ecq = 0] = await occupancy.evaluateAll((cells) =>
    cells.map((cell) => Number(cell.getAttribute('data-value'))),
  );
  const weights = kept + zeroed + saved + givenUp;
  expect(zeroed + givenUp).toBe(Math.round(now * weights));
  expect(zeroed + saved).toBe(Math.round(ecq * weights));
});

test('a link with a layer or an image that the net lacks opens with another', async ({ lab, page }) => {
  await lab.open('method=ecq&bits=4&lambda=0.05&p=0.1&layer=fc9&image=999');
  await expect(lab.notice('link/bad')).toContainText(
    /no layer “fc9”, only fc1, fc2, fc3; there is no image 999, the last is 359/,
  );
  await expect(lab.choice('Layer')).toHaveValue('fc1');
  await expect(page.getByRole('spinbutton', { name: 'Number of the test image' })).toHaveValue('1');
});

test('a net chosen while an image is drawn or stepped through is loaded once, and then shows it', async ({
  lab,
  page,
}) => {
  await lab.open();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await lab.choice('Model').selectOption('digits-resnet');
  for (let i = 0; i < 5; i++) await page.getByRole('button', { name: 'Next image' }).click();
  await lab.settled();
  await expect(page).toHaveURL(/model=digits-resnet.*image=5$/);
  await expect(lab.choice('Layer')).toHaveValue('conv5');
  expect(asked.filter((url) => url.includes('digits-resnet')).length).toBe(1);
});

test('a link opened in place replaces what was drawn', async ({ lab, page }) => {
  await lab.open();
  await page.getByText('Draw', { exact: true }).click();
  await page.getByRole('application', { name: 'Drawing pad' }).click();
  await lab.settled();
  const undo = page.getByRole('button', { name: 'Undo stroke' });
  await expect(undo).toBeEnabled();
  await page.evaluate(() => (location.hash = `#/explore?drawing=${'0g'.repeat(32)}`));
  await lab.settled();
  await expect(undo).toBeDisabled();
  expect(sum((await lab.table('Relevance maps')).map(([, image]) => image))).toBe(32);
});

/** For everyone: no rule of axe-core broken, no sideways scrolling, forced colours, larger text, less motion. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './lab.ts';

const WIDTHS = [360, 1024, 1440];

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of WIDTHS) {
    test.describe(`${colorScheme}, ${width} px`, () => {
      test.use({ colorScheme, viewport: { width, height: 800 } });

      test('axe-core finds nothing', async ({ lab, page }) => {
        await lab.open();
        expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
        for (const summary of await page.getByText('Table').all()) await summary.click();
        await lab.field('Bit width').fill('abc');
        await lab.page.evaluate(() => document.querySelector('main')?.scrollIntoView());
        expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
      });
    });
  }
}

for (const [width, height] of [
  [320, 640],
  [360, 740],
  [720, 450],
  [1024, 768],
  [3840, 2160],
] as const) {
  test(`no sideways scrolling at ${width} × ${height}`, async ({ lab, page }) => {
    await page.setViewportSize({ width, height });
    await lab.open('method=ecqx&bits=8&lambda=0.0012&p=0.125');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(width);
    await lab.slider('Entropy weight λ').scrollIntoViewIfNeeded();
    await expect(lab.slider('Entropy weight λ')).toBeInViewport({ ratio: 1 });
  });
}

test('the theme can be chosen, is kept, and the figures follow', async ({ lab, page }) => {
  await lab.open();
  const light = await lab.pictures('Accuracy');
  await page.getByRole('radio', { name: 'Dark' }).check();
  const dark = await lab.pictures('Accuracy');
  expect(dark).not.toBe(light);
  await page.reload();
  await lab.settled();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.getByRole('radio', { name: 'Auto' }).check();
  expect(await lab.pictures('Accuracy')).toBe(light);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await lab.pictures('Accuracy')).toBe(dark);
});

test('figures are sharp: as many pixels as the screen has', async ({ browser, baseURL }) => {
  const context = await browser.newContext({ baseURL: baseURL ?? '', deviceScaleFactor: 2 });
  const page = await context.newPage();
  await page.goto('./');
  await expect(page.locator('[data-metric="accuracy"]')).toHaveAttribute('data-stage', 'final');
  for (const canvas of await page.locator('canvas').all()) {
    const [css, backing] = await canvas.evaluate((c: HTMLCanvasElement) => [c.clientWidth, c.width]);
    expect(Math.abs((css ?? 0) * 2 - (backing ?? 0))).toBeLessThanOrEqual(1);
  }
  await context.close();
});

test('forced colours: figures are drawn in them, controls stay visible', async ({ lab, page }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  await lab.open();
  const thumb = await page
    .locator('.thumb')
    .first()
    .evaluate((element) => getComputedStyle(element).borderColor);
  const ground = await page.locator('body').evaluate((element) => getComputedStyle(element).backgroundColor);
  expect(thumb).not.toBe(ground);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
});

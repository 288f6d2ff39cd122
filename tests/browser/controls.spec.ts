/** Sliders and the fields beside them: typed numbers, typed junk, keys, touch. */
import { expect, test } from './lab.ts';

const START = 'method=ecqx&bits=3&lambda=0.12&p=0.1';

for (const [name, key, good, junk] of [
  ['Bit width', 'bits', ['2', '8', ' 5 ', '4.0'], ['', 'abc', '1e9', '-3', '2.5', '9', '3 bit']],
  [
    'Entropy weight λ',
    'lambda',
    ['0', '1', '0,12', '.5', '1e-3', '0.00005'],
    ['', 'abc', '1e9', '-3', '1.01', 'NaN', '0.1.2'],
  ],
  ['Relevance scaling', 'p', ['0', '0.5', '0,25'], ['', 'abc', '1e9', '-0.1', '0.51', 'Infinity', '٣']],
] as const) {
  test(`${name} takes typed numbers`, async ({ lab, page }) => {
    await lab.open(START);
    for (const text of good) {
      await lab.field(name).fill(text);
      await lab.field(name).press('Enter');
      await lab.settled();
      const value = Number(text.trim().replace(',', '.'));
      await expect
        .poll(() => new URL(page.url()).hash)
        .toMatch(new RegExp(`[?&]${key}=${String(value).replace('.', '\\.')}(&|$)`));
      expect(await lab.field(name).inputValue()).toBe(String(value));
    }
  });

  test(`${name} refuses junk in one sentence and keeps the state`, async ({ lab, page }) => {
    await lab.open(START);
    const sentence = await lab.sentence.innerText();
    const value = await lab.field(name).inputValue();
    for (const [index, text] of junk.entries()) {
      await lab.field(name).fill('');
      await lab.field(name).pressSequentially(text);
      const alert = page.locator('.dial').getByRole('alert');
      await expect(alert).toHaveCount(1);
      await expect(alert).toHaveText(/^[^.]+(\.\d[^.]*)*\.$/);
      await expect(lab.field(name)).toHaveAttribute('aria-invalid', 'true');
      await expect(lab.field(name)).toHaveAccessibleDescription((await alert.innerText()).trim());
      await lab.settled();
      await expect(lab.sentence).toHaveText(sentence.replace(/\s+/g, ' ').trim());
      if (index % 2 === 0) await lab.field(name).press('Escape');
      else await lab.field(name).blur();
      await expect(alert).toHaveCount(0);
      await expect(lab.field(name)).toHaveValue(value);
    }
    await expect.poll(() => new URL(page.url()).hash).toBe(`#/explore?${START}`);
  });
}

test('the slider holds real units', async ({ lab }) => {
  await lab.open(START);
  for (const [name, min, max, value] of [
    ['Bit width', '2', '8', '3'],
    ['Entropy weight λ', '0', '1', '0.12'],
    ['Relevance scaling', '0', '0.5', '0.1'],
  ] as const) {
    await expect(lab.slider(name)).toHaveAttribute('min', min);
    await expect(lab.slider(name)).toHaveAttribute('max', max);
    await expect(lab.slider(name)).toHaveValue(value);
  }
});

test('keys step along the bent track', async ({ lab }) => {
  await lab.open(START);
  const slider = lab.slider('Entropy weight λ');
  const value = async () => Number(await slider.inputValue());
  await slider.focus();
  await slider.press('Home');
  expect(await value()).toBe(0);
  let last = 0;
  for (let i = 0; i < 12; i++) {
    await slider.press('ArrowRight');
    const now = await value();
    expect(now).toBeGreaterThan(last);
    last = now;
  }
  expect(last).toBeLessThan(0.01);
  await slider.press('PageUp');
  expect(await value()).toBeGreaterThan(last * 2);
  await slider.press('End');
  expect(await value()).toBe(1);
  await slider.press('ArrowLeft');
  expect(await value()).toBe(0.97);
  await lab.slider('Bit width').press('ArrowRight');
  await expect(lab.slider('Bit width')).toHaveValue('4');
  await lab.slider('Bit width').press('PageDown');
  await expect(lab.slider('Bit width')).toHaveValue('2');
  await lab.field('Relevance scaling').press('ArrowUp');
  await expect(lab.field('Relevance scaling')).toHaveValue('0.11');
  await lab.settled();
});

test('everything can be reached and worked by keyboard alone', async ({ lab, page }) => {
  await lab.open(START);
  const seen: string[] = [];
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const label = element.getAttribute('aria-labelledby');
      const text = label
        ? document.getElementById(label)?.textContent
        : (element.closest('label') ?? element).textContent;
      return `${element.getAttribute('role') ?? element.tagName} ${element.getAttribute('type') ?? ''} ${text?.trim() ?? ''}`;
    });
    if (name === null) break;
    seen.push(name);
  }
  for (const pattern of [
    /radio.*Auto/,
    /SELECT.*Model/,
    /radio.*ECQx/,
    /range Bit width/,
    /spinbutton.*Bit width/,
    /range Entropy weight λ/,
    /range Relevance scaling/,
    /SUMMARY.*Table of Cluster occupancy/,
    /SUMMARY.*Table of Accuracy/,
  ]) {
    expect(
      seen.some((name) => pattern.test(name)),
      `${String(pattern)} in ${seen.join(' | ')}`,
    ).toBe(true);
  }
  await lab.method('ECQx').focus();
  await page.keyboard.press('ArrowLeft');
  await expect(lab.method('ECQ')).toBeChecked();
  await expect(lab.sentence).toContainText(/^ECQ,/);
  await lab.settled();
});

test('the pointer follows the bend, and the picture follows the pointer', async ({ lab, page }) => {
  await lab.open(START);
  const box = await lab.slider('Entropy weight λ').boundingBox();
  if (!box) throw new Error('no slider');
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width / 2, y);
  await page.mouse.down();
  await expect(lab.slider('Entropy weight λ')).toHaveValue('0.125');
  await lab.settled();
  await expect(lab.sentence).toContainText('λ 0.125,');
  await page.mouse.move(box.x + box.width + 300, y);
  await expect(lab.sentence).toContainText('λ 1,');
  await page.mouse.move(box.x - 300, y);
  await expect(lab.sentence).toContainText('λ 0,');
  await page.mouse.up();
  await page.mouse.move(box.x + box.width / 2, y);
  await expect(lab.slider('Entropy weight λ')).toHaveValue('0');
  await lab.settled();
});

test.describe('with a finger', () => {
  test.use({ hasTouch: true, viewport: { width: 360, height: 740 } });

  test('sliders stay in reach and follow the touch', async ({ lab, page }) => {
    await lab.open(START);
    await lab.figure('Accuracy').scrollIntoViewIfNeeded();
    await expect(lab.slider('Entropy weight λ')).toBeInViewport({ ratio: 1 });
    const box = await lab.slider('Entropy weight λ').boundingBox();
    if (!box) throw new Error('no slider');
    const touch = await page.context().newCDPSession(page);
    const at = (share: number) => [{ x: box.x + box.width * share, y: box.y + box.height / 2 }];
    await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(0.3) });
    for (const share of [0.4, 0.45, 0.5]) {
      await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: at(share) });
    }
    await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await expect(lab.slider('Entropy weight λ')).toHaveValue('0.125');
    await lab.settled();
    await expect(lab.sentence).toContainText('λ 0.125,');
  });
});

/** The picture of the method: what each cluster costs, and why one weight went where it went. */
import { expect, test } from './lab.ts';

const QUERY = 'method=ecqx&bits=4&lambda=0.08&p=0.1&layer=fc2';

test('the zero interval grows with λ, and the picture with it', async ({ lab }) => {
  await lab.open(QUERY.replace('0.08', '0.02'));
  const zeroInterval = async () => {
    const rows = await lab.table('Assignment cost');
    expect(rows).toHaveLength(16);
    const ends = rows.map((row) => row.at(-1) ?? null).filter((end) => end !== null);
    expect([...ends].sort((a, b) => a - b)).toEqual(ends);
    const zero = rows.findIndex(([, centroid]) => centroid === 0);
    return (rows[zero]?.at(-1) ?? Number.NaN) - (rows[zero - 1]?.at(-1) ?? Number.NaN);
  };
  const [before, picture] = [await zeroInterval(), await lab.pictures('Assignment cost')];
  await lab.field('Entropy weight λ').fill('0.3');
  await lab.field('Entropy weight λ').press('Enter');
  await lab.settled();
  expect(await zeroInterval()).toBeGreaterThan(before * 1.5);
  expect(await lab.pictures('Assignment cost')).not.toBe(picture);
});

test('a weight got the cluster of least cost', async ({ lab, page }) => {
  await lab.open(`${QUERY}&weight=3`);
  const view = page.getByRole('region', { name: 'One weight' });
  for (let position = 3; position < 12; position++) {
    await expect(page.getByRole('spinbutton', { name: 'Position of the weight' })).toHaveValue(String(position));
    await lab.settled();
    const costs = await view.locator('tbody tr').evaluateAll((rows) =>
      rows.map((row) => {
        const cells = [...row.children].map((cell) => Number(cell.getAttribute('data-value') ?? Number.NaN));
        const [, distance = 0, price = 0, cost = 0] = cells;
        const factor = Number((row as HTMLElement).dataset.factor);
        return { distance, price, factor, cost, chosen: row.classList.contains('chosen') };
      }),
    );
    for (const { distance, price, factor, cost } of costs) expect(cost).toBeCloseTo((distance + price) * factor, 10);
    const least = Math.min(...costs.map(({ cost }) => cost));
    expect(costs.find(({ chosen }) => chosen)?.cost).toBeCloseTo(least, 10);
    await page.getByRole('button', { name: 'Next weight' }).click();
  }
});

test('a click on a mark looks at that weight, and a link brings it back', async ({ lab, page }) => {
  await lab.open(QUERY);
  const view = page.getByRole('region', { name: 'One weight' });
  await expect(view.locator('tbody tr')).toHaveCount(0);
  const canvas = lab.figure('Weight and relevance').locator('canvas');
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  if (!box) throw new Error('the scatter is not on the screen');
  // To the upper right are the largest and most relevant weights: far from zero, so nearest is where they go.
  await page.mouse.click(box.x + box.width * 0.8, box.y + box.height * 0.3);
  await lab.settled();
  await expect(view).toContainText(/so it goes|change that/);
  await expect(page).toHaveURL(/layer=fc2&weight=\d+$/);
  const text = await view.innerText();
  await page.reload();
  await lab.settled();
  expect(await view.innerText()).toBe(text);
  // In another layer the position means another weight.
  await lab.choice('Layer').selectOption('fc1');
  await lab.settled();
  await expect(page).not.toHaveURL(/weight=/);
});

test('without a price of bits every threshold lies half way between two centroids', async ({ lab }) => {
  await lab.open('method=ecq&bits=3&lambda=0&p=0.1');
  const rows = await lab.table('Assignment cost');
  for (let i = 0; i + 1 < rows.length; i++) {
    const [here, next, end] = [rows[i]?.[1] ?? 0, rows[i + 1]?.[1] ?? 0, rows[i]?.at(-1)];
    expect(end).toBeCloseTo((here + next) / 2, 6);
  }
});

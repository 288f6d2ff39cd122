/** What every test of the page starts from: a page that is watched, and the words to work with it. */
import { expect, test as base, type Locator, type Page } from '@playwright/test';

export type SliderName = 'Bit width' | 'Entropy weight λ' | 'Relevance scaling';
export type FigureName =
  | 'Cluster occupancy'
  | 'Assignment cost'
  | 'Sparsity per layer'
  | 'Accuracy'
  | 'Weight and relevance'
  | 'Relevance maps';

export class Lab {
  constructor(readonly page: Page) {}

  /** Opens the page and waits until every number is real. */
  async open(query = ''): Promise<void> {
    await this.page.goto(query ? `./#/explore?${query}` : './');
    await this.settled();
  }

  /** Nothing is being computed, and what stands there is final. */
  async settled(): Promise<void> {
    await expect(this.page.locator('main')).toHaveAttribute('aria-busy', 'false');
    await expect(this.page.locator('[data-metric="accuracy"]')).toHaveAttribute('data-stage', 'final');
  }

  async metric(name: string): Promise<number> {
    const value = await this.page.locator(`[data-metric="${name}"]`).getAttribute('data-value');
    return Number(value ?? Number.NaN);
  }

  slider(name: SliderName): Locator {
    return this.page.getByRole('slider', { name, exact: true });
  }

  field(name: SliderName): Locator {
    return this.page.getByRole('spinbutton', { name, exact: true });
  }

  figure(name: FigureName): Locator {
    return this.page.getByRole('figure', { name, exact: true });
  }

  method(label: string): Locator {
    return this.page.getByRole('radio', { name: label, exact: true });
  }

  notice(code: string): Locator {
    return this.page.locator(`[role="alert"][data-code="${code}"]`);
  }

  choice(name: 'Model' | 'LRP composite' | 'Layer'): Locator {
    return this.page.getByRole('combobox', { name, exact: true });
  }

  get sentence(): Locator {
    return this.page.locator('.sentence');
  }

  /** A real mouse, from where the thumb may be to a share of the track. */
  async drag(name: SliderName, from: number, to: number, steps = 12): Promise<void> {
    const box = await this.slider(name).boundingBox();
    if (!box) throw new Error(`${name} is not on the screen`);
    const y = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width * from, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + box.width * to, y, { steps });
    await this.page.mouse.up();
  }

  /** Every cell of a figure's table twin, unrounded. */
  async table(name: FigureName): Promise<(number | null)[][]> {
    return this.figure(name)
      .locator('tbody tr')
      .evaluateAll((rows) =>
        rows.map((row) =>
          [...row.children].map((cell) => {
            const value = cell.getAttribute('data-value');
            return value === null ? null : Number(value);
          }),
        ),
      );
  }

  /** What the canvases of a figure show. */
  async pictures(name: FigureName): Promise<string> {
    // Two frames: drawing happens in the one after the numbers changed.
    await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    return this.figure(name)
      .locator('canvas')
      .evaluateAll((all) => all.map((canvas) => (canvas as HTMLCanvasElement).toDataURL()).join());
  }
}

/** Console output a test brings about on purpose, such as the browser's own line about a missing file. */
interface Options {
  expectedErrors: RegExp | null;
}

export const test = base.extend<{ lab: Lab } & Options>({
  expectedErrors: [null, { option: true }],
  lab: async ({ page, baseURL, expectedErrors }, use) => {
    const complaints: string[] = [];
    const note = (text: string) => {
      if (!expectedErrors?.test(text)) complaints.push(text);
    };
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') note(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => note(`uncaught: ${error.message}`));
    const foreign: string[] = [];
    page.context().on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith('http') && baseURL && url.hostname !== new URL(baseURL).hostname)
        foreign.push(request.url());
    });
    await use(new Lab(page));
    expect(complaints, 'errors on the console').toEqual([]);
    expect(foreign, 'requests to other hosts').toEqual([]);
    if (!page.isClosed()) {
      const text = await page.locator('body').innerText();
      expect(text).not.toMatch(/NaN|undefined|Infinity/);
    }
  },
});

export { expect };

/** Plain functions of the page; no browser is opened for them. */
import { expect, test } from '@playwright/test';
import { Mailbox } from '../../www/src/lib/engine/mailbox.ts';
import type { Outcome } from '../../www/src/lib/engine/protocol.ts';
import { count, fixed, milliseconds, percent, plain, raw, significant } from '../../www/src/lib/format.ts';
import { fromPosition, nudge, readTyped, toPosition } from '../../www/src/lib/scale.ts';
import { DEFAULTS, DIALS, FIRST_VIEW, type View } from '../../www/src/lib/state/settings.ts';
import { extend } from '../../www/src/lib/state/trail.ts';
import { rasterise } from '../../www/src/lib/drawing.ts';
import { readHash, writeHash } from '../../www/src/lib/state/url.ts';
import { wilson95 } from '../../www/src/lib/stats.ts';

test('numbers become text, and what is none becomes a dash', () => {
  expect(percent(0.9614)).toBe('96.1 %');
  expect(percent(0.807, 0)).toBe('81 %');
  expect([percent(0), percent(1), percent(1e-6), percent(0.99999), percent(0.999, 0)]).toEqual([
    '0.0 %',
    '100.0 %',
    '<0.1 %',
    '>99.9 %',
    '>99 %',
  ]);
  expect(fixed(-0.001, 2)).toBe('0.00');
  expect(fixed(-1.5, 1)).toBe('−1.5');
  expect(plain(0.12)).toBe('0.12');
  expect(count(12345)).toBe('12,345');
  expect(significant(0.0567891)).toBe('0.0568');
  expect(significant(0.0000123)).toBe('1.23 · 10^−5');
  expect(milliseconds(7.26)).toBe('7.3 ms');
  for (const none of [null, undefined, Number.NaN, Infinity, -Infinity]) {
    for (const text of [
      percent(none),
      fixed(none, 2),
      plain(none),
      count(none),
      significant(none),
      milliseconds(none),
    ]) {
      expect(text).toBe('–');
    }
    expect(raw(none)).toBeUndefined();
  }
});

test('Wilson interval: published values', () => {
  // 81 of 263: Newcombe 1998, table I, method 3 gives 0.2553 to 0.3662.
  const [low, high] = wilson95(81, 263);
  expect(low).toBeCloseTo(0.2553, 4);
  expect(high).toBeCloseTo(0.3662, 4);
  expect(wilson95(0, 20)[0]).toBe(0);
  expect(wilson95(20, 20)[1]).toBe(1);
  expect(wilson95(0, 0)).toEqual([0, 1]);
});

test('slider scales: round trips, ends, and no step without effect', () => {
  for (const { scale } of Object.values(DIALS)) {
    expect(fromPosition(scale, 0)).toBe(scale.min);
    expect(fromPosition(scale, 1)).toBe(scale.max);
    expect(fromPosition(scale, -3)).toBe(scale.min);
    const values = Array.from({ length: 1001 }, (_, i) => fromPosition(scale, i / 1000));
    expect(values.filter((v) => fromPosition(scale, toPosition(scale, v)) !== v)).toEqual([]);
    expect(values.filter((v) => v < scale.max && !(nudge(scale, v, scale.arrow) > v))).toEqual([]);
    expect(values.filter((v) => v > scale.min && !(nudge(scale, v, -scale.arrow) < v))).toEqual([]);
    expect(values.filter((v) => String(v).length > 6)).toEqual([]);
    expect(nudge(scale, scale.max, scale.page)).toBe(scale.max);
    expect(nudge(scale, scale.min, -scale.page)).toBe(scale.min);
  }
});

test('typed numbers', () => {
  const { scale } = DIALS.lambda;
  expect(readTyped(scale, '0,12')).toEqual({ ok: true, value: 0.12 });
  expect(readTyped(scale, '1e-3')).toEqual({ ok: true, value: 0.001 });
  for (const junk of ['', ' ', 'abc', '1e9', '-3', '0x1', '1,2,3', 'Infinity', 'NaN', '1_0', '--1']) {
    expect(readTyped(scale, junk).ok, junk).toBe(false);
  }
  expect(readTyped(DIALS.bits.scale, '2.5').ok).toBe(false);
});

test('links: round trip, and bad fields fall back one by one', () => {
  const settings = { method: 'ecq', bits: 5, lambda: 0.0345, p: 0.225 } as const;
  expect(readHash(writeHash(settings))).toEqual({ settings, view: FIRST_VIEW, complaint: null });
  const view: View = {
    model: 'digits-cnn',
    composite: 'epsilon-gamma-box',
    layer: 'a & b=c',
    weight: 17,
    image: { kind: 'drawing', levels: Array.from({ length: 64 }, (_, i) => i % 17) },
  };
  expect(readHash(writeHash(settings, view))).toEqual({ settings, view, complaint: null });
  const image = { kind: 'test', index: 42 } as const;
  expect(readHash(writeHash(settings, { ...FIRST_VIEW, image })).view.image).toEqual(image);
  expect(writeHash({ ...DEFAULTS, method: 'ecqx', bits: 3, lambda: 0.12, p: 0.1 })).toBe(
    '#/explore?method=ecqx&bits=3&lambda=0.12&p=0.1',
  );
  expect(readHash('')).toEqual({ settings: DEFAULTS, view: FIRST_VIEW, complaint: null });
  const bad = readHash('#/explore?method=ecq&bits=1&lambda=2&p=0.3&model=vgg');
  expect(bad.settings).toEqual({ ...DEFAULTS, method: 'ecq', p: 0.3 });
  expect(bad.complaint).toMatch(/bits “1”.*lambda “2”.*vgg/);
  expect(readHash('#/nowhere').complaint).toMatch(/no view/);
  for (const query of ['composite=best', 'image=-1', 'image=1e9', 'drawing=xyz', 'drawing=']) {
    const link = readHash(`#/explore?${query}`);
    expect(link.view, query).toEqual(FIRST_VIEW);
    expect(link.complaint, query).toContain('defaults are used');
  }
  expect(readHash('#%%%?&&==').settings).toEqual(DEFAULTS);
});

test('trail: follows one slider, starts anew on another curve', () => {
  const visit = (lambda: number, bits = 3) => ({ settings: { ...DEFAULTS, bits, lambda }, accuracy: lambda });
  let trail = extend(null, null, visit(0.1));
  trail = extend(trail, 'lambda', visit(0.2));
  trail = extend(trail, 'lambda', visit(0.1));
  expect(trail.visits.map((v) => v.settings.lambda)).toEqual([0.2, 0.1]);
  trail = extend(trail, 'bits', visit(0.1, 4));
  expect([trail.dial, trail.visits.map((v) => v.settings.bits)]).toEqual(['bits', [3, 4]]);
  trail = extend(trail, null, { settings: { ...DEFAULTS, method: 'ecq' }, accuracy: 0.5 });
  expect(trail.visits).toHaveLength(1);
});

test('mailbox: one runs, one waits, the newest wins, every promise settles', async () => {
  const started: number[] = [];
  const gates: ((outcome: Outcome<number>) => void)[] = [];
  const box = new Mailbox<number, number>((input) => {
    started.push(input);
    return new Promise((resolve) => gates.push(resolve));
  });
  const all = [1, 2, 3, 4].map((input) => box.put(input));
  expect(started).toEqual([1]);
  gates[0]?.({ kind: 'done', value: 10 });
  await all[0];
  await expect.poll(() => started).toEqual([1, 4]);
  gates[1]?.({ kind: 'done', value: 40 });
  expect((await Promise.all(all)).map((outcome) => outcome.kind)).toEqual(['done', 'superseded', 'superseded', 'done']);
  await expect.poll(() => box.idle).toBe(true);

  const failing = new Mailbox<number, number>(() => Promise.reject(new Error('broken')));
  expect(await failing.put(1)).toMatchObject({ kind: 'failed', error: { code: 'engine/unexpected' } });
  expect(await failing.put(2)).toMatchObject({ kind: 'failed' });
});

test('drawings: moved to the middle, scaled to fill the picture, counted in levels', () => {
  const down = [
    { x: 0.7, y: 0.1 },
    { x: 0.7, y: 0.4 },
  ];
  const levels = rasterise([down], 8, 8);
  const row = (y: number) => levels.slice(y * 8, y * 8 + 8);
  // A short stroke at the side becomes a tall one in the middle, as wide as the pen.
  expect(row(4)).toEqual([0, 0, 0, 8, 8, 0, 0, 0]);
  expect(row(0).reduce((a, b) => a + b)).toBeGreaterThan(4);
  expect(levels.every((level) => Number.isInteger(level) && level >= 0 && level <= 16)).toBe(true);
  // Where it was drawn and in which direction does not matter.
  const elsewhere = down.map(({ y }) => ({ x: 0.2, y: 1 - y }));
  expect(rasterise([elsewhere], 8, 8)).toEqual(levels);
  // A dot stays a dot.
  const dot = rasterise([[{ x: 0.9, y: 0.9 }]], 8, 8);
  expect(dot.filter((level) => level > 0)).toEqual([4, 4, 4, 4]);
  expect(rasterise([], 4, 4)).toEqual(new Array<number>(16).fill(0));
});

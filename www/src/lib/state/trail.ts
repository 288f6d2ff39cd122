/** The points visited along the slider that was moved last, while everything else stood still. */
import type { QuantizeSettings } from '../engine/protocol.ts';
import type { DialKey } from './settings.ts';

export interface Visit {
  settings: QuantizeSettings;
  accuracy: number;
}

export interface Trail {
  dial: DialKey;
  /** In order of visit, the current state last. */
  visits: Visit[];
}

/** Enough for every value of a slider; older points give way. */
const LONGEST = 240;

/** Adds a visit. `moved` is the slider that led here, null where it was something else (a method, a link). */
export function extend(trail: Trail | null, moved: DialKey | null, visit: Visit): Trail {
  // Nearest neighbour knows no price: of the sliders only the bit width leads anywhere.
  const wanted = moved ?? trail?.dial ?? 'lambda';
  const dial = visit.settings.method === 'nearest' && moved === null ? 'bits' : wanted;
  // What differs in anything but this slider lies on another curve. A point seen before is only moved to the end.
  const earlier = (trail?.visits ?? []).filter(
    ({ settings }) => onSameCurve(dial, settings, visit.settings) && settings[dial] !== visit.settings[dial],
  );
  return { dial, visits: [...earlier, visit].slice(-LONGEST) };
}

function onSameCurve(dial: DialKey, a: QuantizeSettings, b: QuantizeSettings): boolean {
  return a.method === b.method && (['bits', 'lambda', 'p'] as const).every((key) => key === dial || a[key] === b[key]);
}

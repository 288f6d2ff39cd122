/**
 * How a slider's track maps to real values. `power` bends it: position = ((x − min)/(max − min))^(1/power), so a power above 1
 * spreads out the values near `min`. `grain` is the spacing of sensible values around x: what a drag or a key rounds to.
 */
export interface Scale {
  min: number;
  max: number;
  power: number;
  /** Finest spacing anywhere; also the `step` that assistive technology is told. */
  step: number;
  grain: (value: number) => number;
  /** Share of the track that one arrow key, and one page key, goes. */
  arrow: number;
  page: number;
}

export function toPosition(scale: Scale, value: number): number {
  const share = (clamp(scale, value) - scale.min) / (scale.max - scale.min);
  return share ** (1 / scale.power);
}

export function fromPosition(scale: Scale, position: number): number {
  const share = Math.min(1, Math.max(0, position)) ** scale.power;
  return settle(scale, scale.min + share * (scale.max - scale.min));
}

/** One step along the bent track, at least to the next sensible value. */
export function nudge(scale: Scale, value: number, steps: number): number {
  const direction = Math.sign(steps);
  const next = fromPosition(scale, toPosition(scale, value) + steps);
  if ((next - value) * direction > 0) return next;
  return settle(scale, value + direction * scale.grain(value));
}

export function clamp(scale: Scale, value: number): number {
  return Math.min(scale.max, Math.max(scale.min, value));
}

/** The nearest sensible value within the range. */
function settle(scale: Scale, value: number): number {
  const grain = scale.grain(value);
  const rounded = Math.round(value / grain) * grain;
  // Multiplying by a grain such as 0.001 leaves float dust (0.123 -> 0.12300000000000001).
  return clamp(scale, Number(rounded.toFixed(6)));
}

export type Typed = { ok: true; value: number } | { ok: false; message: string };

/** Reads what a person typed; a comma is as good as a point. */
export function readTyped(scale: Scale, text: string): Typed {
  const whole = Number.isInteger(scale.step);
  const range = `${whole ? 'a whole number ' : 'a number '}from ${scale.min} to ${scale.max}`;
  const plain = text.trim().replace(',', '.').replace('−', '-');
  if (plain === '') return { ok: false, message: `Nothing is typed; type ${range}.` };
  const shown = text.trim().length > 12 ? `${text.trim().slice(0, 12)}…` : text.trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) {
    return { ok: false, message: `“${shown}” is not a number; type ${range}.` };
  }
  const value = Number(plain);
  if (!(value >= scale.min && value <= scale.max))
    return { ok: false, message: `“${shown}” is out of range; type ${range}.` };
  if (whole && !Number.isInteger(value)) return { ok: false, message: `“${shown}” is not whole; type ${range}.` };
  return { ok: true, value };
}

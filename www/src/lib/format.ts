/** The only place where numbers become text. A number that is none (null, NaN, infinite) becomes a dash, everywhere. */
export const DASH = '–';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

function guarded(value: number | null | undefined, text: (value: number) => string): string {
  return typeof value === 'number' && Number.isFinite(value) ? text(value).replace('-', '−') : DASH;
}

/** Decimals fixed, so that columns do not dance. */
export function fixed(value: number | null | undefined, digits: number): string {
  return guarded(value, (v) => {
    const text = v.toFixed(digits);
    return Number(text) === 0 ? text.replace('-', '') : text;
  });
}

/** As many decimals as the value has, up to `digits`: settings are shown as they were set. */
export function plain(value: number | null | undefined, digits = 6): string {
  return guarded(value, (v) => String(Number(v.toFixed(digits))));
}

/** A share (0 to 1) in percent. It says 0 % only of none and 100 % only of all. */
export function percent(share: number | null | undefined, digits = 1): string {
  return guarded(share, (value) => {
    const text = fixed(value * 100, digits);
    const least = 10 ** -digits;
    if (value > 0 && Number(text) === 0) return `<${fixed(least, digits)} %`;
    if (value < 1 && Number(text) === 100) return `>${fixed(100 - least, digits)} %`;
    return `${text} %`;
  });
}

export function count(value: number | null | undefined): string {
  return guarded(value, (v) => grouped.format(v));
}

/** So many significant digits whatever the size; for quantities without a natural scale. */
export function significant(value: number | null | undefined, digits = 3): string {
  return guarded(value, (v) => {
    if (v === 0) return '0';
    const size = Math.abs(v);
    if (size < 1e-4 || size >= 1e5)
      return v
        .toExponential(digits - 1)
        .replace('e-', ' · 10^−')
        .replace('e+', ' · 10^');
    return v.toPrecision(digits);
  });
}

export function milliseconds(value: number | null | undefined): string {
  return guarded(value, (v) => `${v < 10 ? v.toFixed(1) : v.toFixed(0)} ms`);
}

/** For `data-value`: the number itself, or nothing at all. */
export function raw(value: number | null | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

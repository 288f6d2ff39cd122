import type { ChartTheme } from './charts.ts';

/** Reads colours and type as the browser resolved them at `element`: system colours in forced-colours mode included. */
export function readChartTheme(element: HTMLElement, dpr: number): ChartTheme {
  const probe = document.createElement('span');
  probe.style.setProperty('forced-color-adjust', 'none');
  element.parentElement?.append(probe);
  const colour = (token: string) => {
    probe.style.color = `var(--${token})`;
    return toHex(getComputedStyle(probe).color);
  };
  const style = getComputedStyle(element);
  const growth = rootGrowth();
  const theme: ChartTheme = {
    dpr: dpr * growth,
    font_family: style.fontFamily,
    font_size: Number.parseFloat(style.fontSize) / growth || 12,
    ink: colour('ink'),
    ink_muted: colour('ink-muted'),
    grid: colour('grid'),
    surface: colour('surface'),
    negative: colour('negative'),
    zero: colour('zero'),
    positive: colour('positive'),
    relevance: colour('relevance'),
    accent: colour('accent'),
  };
  probe.remove();
  return theme;
}

/**
 * On very large screens the whole page grows with the root's font; as a pixel ratio it makes lines and gaps of charts grow, too.
 * Hover zones come in CSS pixels divided by it.
 */
export function rootGrowth(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
}

/** `rgb(27, 31, 36)` -> `#1b1f24`; computed colours always come in this form. */
function toHex(rgb: string): string {
  const channels = (rgb.match(/\d+(\.\d+)?/g) ?? ['0', '0', '0']).slice(0, 3);
  return `#${channels.map((c) => Math.round(Number(c)).toString(16).padStart(2, '0')).join('')}`;
}

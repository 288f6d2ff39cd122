/** A drawing: strokes of a pen on a square, and the pixels that a net sees of it. */
export interface Point {
  x: number;
  y: number;
}

/** A line without lifting the pen; a single point is a dot. Coordinates from 0 to 1, downwards. */
export type Stroke = readonly Point[];

/** Levels of ink of a pixel are 0 to 16, as in the digits' data set: the covered ones of 4×4 points in it. */
const FINE = 4;
/** Half the width of the pen in pictures one high: that of the digits' writers. */
export const PEN = 0.07;
/** A dot or a short dash is not blown up to fill the picture. */
const LARGEST_GROWTH = 3;

/**
 * The drawing as `width`×`height` pixels, row by row, as levels from 0 to 16. As in the making of the digits' data set, what
 * is drawn is first moved to the middle and scaled to fill the picture.
 */
export function rasterise(strokes: readonly Stroke[], width: number, height: number): number[] {
  const levels = new Array<number>(width * height).fill(0);
  const fitted = fit(strokes);
  for (let y = 0; y < height * FINE; y++) {
    for (let x = 0; x < width * FINE; x++) {
      const point = { x: (x + 0.5) / (width * FINE), y: (y + 0.5) / (height * FINE) };
      const cell = Math.floor(y / FINE) * width + Math.floor(x / FINE);
      if (fitted.some((stroke) => covers(stroke, point))) levels[cell] = (levels[cell] ?? 0) + 1;
    }
  }
  return levels;
}

function fit(strokes: readonly Stroke[]): Stroke[] {
  const points = strokes.flat();
  if (points.length === 0) return [];
  const ends = (values: number[]) => [Math.min(...values), Math.max(...values)] as const;
  const [left, right] = ends(points.map(({ x }) => x));
  const [top, bottom] = ends(points.map(({ y }) => y));
  const room = 1 - 2 * PEN;
  const growth = Math.min(LARGEST_GROWTH, room / Math.max(right - left, bottom - top, 1e-6));
  const place = (value: number, low: number, high: number) => 0.5 + (value - (low + high) / 2) * growth;
  return strokes.map((stroke) => stroke.map(({ x, y }) => ({ x: place(x, left, right), y: place(y, top, bottom) })));
}

/** Whether a point lies under the pen's line. */
function covers(stroke: Stroke, point: Point): boolean {
  return stroke.some((end, index) => distance(point, stroke[index - 1] ?? end, end) <= PEN);
}

/** From a point to the line between two others. */
function distance(point: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length > 0 ? ((point.x - from.x) * dx + (point.y - from.y) * dy) / length : 0;
  const share = Math.max(0, Math.min(1, along));
  return Math.hypot(point.x - from.x - share * dx, point.y - from.y - share * dy);
}

/** 95 % Wilson score interval of a share, from counts. Source: Wilson 1927; z = 1.959964 (97.5th percentile of the normal). */
export function wilson95(correct: number, samples: number): [number, number] {
  if (!(samples > 0)) return [0, 1];
  const z2 = 1.959964 ** 2;
  const share = correct / samples;
  const centre = (share + z2 / (2 * samples)) / (1 + z2 / samples);
  const half =
    (Math.sqrt(z2) / (1 + z2 / samples)) * Math.sqrt((share * (1 - share)) / samples + z2 / (4 * samples ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

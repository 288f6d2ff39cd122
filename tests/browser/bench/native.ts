/** Medians of criterion's native benches, read from its folder in the target directory. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Milliseconds by id, of the benches that were run. */
export function nativeTimes(folder: string): Map<string, number> {
  const times = new Map<string, number>();
  if (!existsSync(folder)) return times;
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith(join('new', 'benchmark.json'))) continue;
    const { full_id } = read<{ full_id: string }>(join(folder, file));
    const { median } = read<{ median: { point_estimate: number } }>(join(folder, file, '..', 'estimates.json'));
    // Nanoseconds.
    times.set(full_id, median.point_estimate / 1e6);
  }
  return times;
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

/** Times things side by side: round by round, each in turn, so that whatever else the machine does hits all of them. */

/** One thing to time. */
export interface Contender {
  name: string;
  /** Before each round, not timed. */
  prepare?: () => Promise<void>;
  run: (times: number) => void;
}

export interface Limits {
  /** A sample repeats the run until it takes about so long, since the clock is coarse. */
  sampleMs: number;
  /** What each contender may use; it gets one round in any case. */
  budgetMs: number;
  rounds: number;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** Milliseconds of one run: in the median sample and in the fastest. */
export interface Time {
  median: number;
  best: number;
}

/** Times by name. Everything must have run before, so that nothing is compiled meanwhile. */
export async function race(contenders: Contender[], limits: Limits): Promise<Record<string, Time>> {
  const lanes = contenders.map((contender) => ({ contender, repeats: 1, spent: 0, times: [] as number[] }));
  for (const lane of lanes) {
    await lane.contender.prepare?.();
    let time = timed(lane.contender, lane.repeats);
    while (time < limits.sampleMs / 2) {
      // By steps of ten at most: so short a time says little.
      lane.repeats = Math.ceil(lane.repeats * Math.min(10, limits.sampleMs / Math.max(time, 0.1)));
      time = timed(lane.contender, lane.repeats);
    }
    // What takes longer than its budget is told by this one run.
    if (time > limits.budgetMs) Object.assign(lane, { spent: time, times: [time] });
  }
  for (let round = 0; round < limits.rounds; round++) {
    for (const lane of lanes.filter(({ spent }) => spent < limits.budgetMs)) {
      await lane.contender.prepare?.();
      const time = timed(lane.contender, lane.repeats);
      lane.spent += time;
      lane.times.push(time / lane.repeats);
    }
  }
  return Object.fromEntries(
    lanes.map(({ contender, times }) => [contender.name, { median: median(times), best: Math.min(...times) }]),
  );
}

function timed({ run }: Contender, times: number): number {
  const start = performance.now();
  run(times);
  return performance.now() - start;
}

/** What runs in the page: nets and matrix products of our core beside those of TensorFlow.js, and the peak beside both. */
import init, { Net as Probe, Product, peakFlopPerStep, runPeak } from '../generated/probe/probe.js';
import wasm from '../generated/probe/probe_bg.wasm?url';
import digits from '../../../assets/datasets/digits.safetensors?url';
import { readTensors } from '../safetensors.ts';
import type { Engine, Task } from './engine.ts';
import { calls, flopPerSample, NETS, product, steps, type Call, type Net } from './nets.ts';
import { Ours } from './ours.ts';
import { Peer, startPeer, type Environment } from './peer.ts';
import { race, type Contender, type Time } from './timing.ts';

/** What the processor can do: flop per second, and the share of it that was to be had in the middle of the time. */
export interface Peak {
  rate: number;
  quiet: number;
}

/** One kind of work on one net. Times are medians in milliseconds, rates in flop per second. */
export interface Work {
  net: string;
  what: 'forward' | 'epoch' | 'step';
  /** By engine; null where it has no kernel for a part of the work. */
  times: Record<string, number | null>;
  /** Largest difference of an engine's numbers from ours, relative to ours. */
  deviations: Record<string, number>;
  target: number;
  rate: number;
  peak: Peak;
}

export interface ProductRate {
  net: string;
  call: Call;
  flop: number;
  time: number;
  peak: Peak;
}

export interface Bench {
  start(): Promise<Environment>;
  net(name: string): Promise<Work[]>;
  products(): Promise<ProductRate[]>;
}

const PEAK_STEPS = 100_000;
const peak: Contender = { name: 'peak', run: (times) => runPeak(times * PEAK_STEPS) };
/** The fastest sample is the peak; how much slower the median was tells what else the machine had to do. */
function readPeak({ peak }: Record<string, Time>): Peak {
  const flop = peakFlopPerStep() * PEAK_STEPS;
  const { median, best } = peak ?? { median: Number.NaN, best: Number.NaN };
  return { rate: flop / (best / 1e3), quiet: best / median };
}

async function readDigits(): Promise<Pick<Task, 'x' | 'labels'>> {
  const file = readTensors(new Uint8Array(await (await fetch(digits)).arrayBuffer()));
  const scale = Number(file.metadata.x_scale ?? 1);
  const join = (name: string) =>
    ['train', 'test'].flatMap((split) => Array.from(file.tensors.get(`${split}.${name}`)?.data ?? [], Number));
  return { x: Float32Array.from(join('x'), (value) => value / scale), labels: Uint32Array.from(join('y')) };
}

/** Numbers in [-1, 1) and labels; speech is not at hand, and its contents change no time. */
function drawSamples({ architecture, samples, classes }: Net): Pick<Task, 'x' | 'labels'> {
  let state = 1;
  // The minimal standard generator: its product stays below 2^53.
  const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const x = new Float32Array(samples * product(architecture.input)).map(() => 2 * next() - 1);
  return { x, labels: new Uint32Array(samples).map(() => Math.floor(next() * classes)) };
}

async function task(net: Net): Promise<Task> {
  const probe = new Probe(JSON.stringify(net.architecture), 1);
  const weights = probe.weights();
  probe.free();
  return { net, weights, ...(net.data === 'digits' ? await readDigits() : drawSamples(net)) };
}

/** Largest difference, relative to the largest expected magnitude. */
function deviation(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  const all = Array.from(expected);
  const scale = all.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  if (got.length !== all.length) return Number.POSITIVE_INFINITY;
  return all.reduce((max, value, i) => Math.max(max, Math.abs(value - (got[i] ?? Number.NaN))), 0) / scale;
}

/** The result, or null where the library says that a kernel is missing; anything else is an error here too. */
function ifSupported<T>(run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && /Kernel '\w+' not registered/.test(error.message)) return null;
    throw error;
  }
}

/** Runs every engine once for its numbers, then those that can do it against each other. */
async function measure(
  engines: Engine[],
  run: (engine: Engine) => ArrayLike<number>,
): Promise<Pick<Work, 'times' | 'deviations' | 'peak'>> {
  const results = new Map<Engine, ArrayLike<number> | null>();
  for (const engine of engines) {
    await engine.activate();
    results.set(
      engine,
      ifSupported(() => run(engine)),
    );
  }
  const [ours = [], ...others] = results.values();
  const deviations = Object.fromEntries(
    others.flatMap((got, i) => (got ? [[engines[i + 1]?.name, deviation(got, ours ?? [])]] : [])),
  );
  const able = engines.filter((engine) => results.get(engine));
  const contenders = able.map((engine) => ({
    name: engine.name,
    prepare: () => engine.activate(),
    run: (times: number) => {
      for (let i = 0; i < times; i++) run(engine);
    },
  }));
  const times = await race([peak, ...contenders], { sampleMs: 25, budgetMs: 4000, rounds: 25 });
  return {
    times: Object.fromEntries(engines.map(({ name }) => [name, times[name]?.median ?? null])),
    deviations,
    peak: readPeak(times),
  };
}

async function net(name: string): Promise<Work[]> {
  const net = NETS.find((net) => net.name === name);
  if (!net) throw new Error(`there is no net ${name}`);
  const work = await task(net);
  const engines = [new Ours(work), new Peer(work, 'wasm'), new Peer(work, 'cpu')];
  const flop = flopPerSample(net.architecture);
  const rate = (flop: number, time: number | null | undefined) => flop / ((time ?? Number.NaN) / 1e3);

  const forward = await measure(engines, (engine) => engine.forward());
  for (const engine of engines) {
    await engine.activate();
    engine.startTraining();
  }
  const training = await measure(engines, (engine) => engine.train());
  engines.forEach((engine) => engine.dispose());

  const { unit, samples } = net.training;
  const trainingRate = rate(flop.training * samples, training.times.ours);
  if (unit === 'step')
    for (const engine of Object.keys(training.times)) {
      const time = training.times[engine];
      training.times[engine] = time ? time / steps(net) : null;
    }
  return [
    {
      net: name,
      what: 'forward',
      ...forward,
      target: net.targets.forward,
      rate: rate(flop.forward * net.samples, forward.times.ours),
    },
    { net: name, what: unit, ...training, target: net.targets.training, rate: trainingRate },
  ];
}

async function products(): Promise<ProductRate[]> {
  const found: ProductRate[] = [];
  for (const net of NETS) {
    const kernels = calls(net).map((call) => {
      const { rows, depth, columns, transposed } = call;
      return {
        call,
        id: JSON.stringify(call),
        kernel: new Product(rows, depth, columns, transposed.a, transposed.b, call.update),
      };
    });
    for (const { kernel } of kernels) kernel.run(20);
    const contenders = kernels.map(({ kernel, id }) => ({ name: id, run: (times: number) => kernel.run(times) }));
    const times = await race([peak, ...contenders], { sampleMs: 10, budgetMs: 1000, rounds: 9 });
    for (const { call, kernel, id } of kernels) {
      found.push({
        net: net.name,
        call,
        flop: kernel.flop(),
        time: times[id]?.median ?? Number.NaN,
        peak: readPeak(times),
      });
      kernel.free();
    }
  }
  return found;
}

async function start(): Promise<Environment> {
  await init({ module_or_path: wasm });
  // Twice the length of a sample: by then the browser has its fastest code of the loop.
  runPeak(200 * PEAK_STEPS);
  return startPeer();
}

Object.assign(globalThis, { bench: { start, net, products } satisfies Bench });

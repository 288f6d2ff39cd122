/** The nets that are measured: architecture, samples, training, and how much there is to compute. */

/** As in a model file; images are [channels, height, width]. */
export interface Architecture {
  input: number[];
  layers: Layer[];
}

export type Layer = { name: string } & (
  | { kind: 'dense'; units: number }
  | { kind: 'conv2d'; filters: number; kernel: [number, number]; padding: [number, number] }
  | { kind: 'max_pool2d'; kernel: [number, number] }
  | { kind: 'relu' }
  | { kind: 'flatten' }
);

export interface Net {
  name: string;
  architecture: Architecture;
  data: 'digits' | 'random';
  classes: number;
  /** Samples of a forward run. */
  samples: number;
  /** A training run takes batches in order from the first so many samples. Its time is told per `unit`. */
  training: { samples: number; batch: number; unit: 'epoch' | 'step' };
  /** Times that the fastest peer may need at least, in ours. */
  targets: { forward: number; training: number };
}

/** A layer that multiplies by its weight: at each position of a sample, `inputs` numbers become `outputs`. */
interface Affine {
  kind: 'dense' | 'conv2d';
  positions: number;
  inputs: number;
  outputs: number;
}

/** What a layer multiplies for: its output, its weight's gradient, or the signal to the layer before it. */
export type Pass = 'forward' | 'gradient' | 'pull-back';

/** What becomes of c: the product, c plus the product, or the product plus a bias. */
export type Update = 'replace' | 'add' | 'column bias' | 'row bias';

/**
 * A matrix product of a layer: c [rows, columns] of a [rows, depth] and b [depth, columns]. For a dense layer it is the
 * core's own call; for a convolution b is a plain matrix of the size of what the core lays out from the image.
 */
export interface Call {
  pass: Pass;
  rows: number;
  depth: number;
  columns: number;
  /** Which factors lie in memory as their transpose. */
  transposed: { a: boolean; b: boolean };
  update: Update;
}

function mlp(input: number, ...units: number[]): Architecture {
  const layers = units.flatMap((units, i): Layer[] => [
    { name: `fc${i + 1}`, kind: 'dense', units },
    { name: `relu${i + 1}`, kind: 'relu' },
  ]);
  return { input: [input], layers: layers.slice(0, -1) };
}

function conv(name: string, filters: number): Layer {
  return { name, kind: 'conv2d', filters, kernel: [3, 3], padding: [1, 1] };
}

const DIGITS = 1797;

export const NETS: Net[] = [
  {
    name: 'digits-mlp',
    architecture: mlp(64, 128, 64, 10),
    data: 'digits',
    classes: 10,
    samples: DIGITS,
    training: { samples: DIGITS, batch: 64, unit: 'epoch' },
    targets: { forward: 1.2, training: 10 },
  },
  {
    name: 'speech-mlp',
    architecture: mlp(735, 512, 512, 256, 256, 128, 128, 12),
    data: 'random',
    classes: 12,
    samples: 1000,
    training: { samples: 7 * 128, batch: 128, unit: 'step' },
    targets: { forward: 1.2, training: 12 },
  },
  {
    name: 'cnn',
    architecture: {
      input: [1, 8, 8],
      layers: [
        conv('conv1', 16),
        { name: 'relu1', kind: 'relu' },
        conv('conv2', 32),
        { name: 'relu2', kind: 'relu' },
        { name: 'pool', kind: 'max_pool2d', kernel: [2, 2] },
        { name: 'flat', kind: 'flatten' },
        { name: 'fc', kind: 'dense', units: 10 },
      ],
    },
    data: 'digits',
    classes: 10,
    samples: DIGITS,
    training: { samples: DIGITS, batch: 64, unit: 'epoch' },
    targets: { forward: 1.2, training: 20 },
  },
];

/** Batches in a training run; the last may be smaller. */
export function steps({ training }: Net): number {
  return Math.ceil(training.samples / training.batch);
}

export function product(shape: number[]): number {
  return shape.reduce((all, size) => all * size, 1);
}

/** Shape of one sample after a layer. */
export function outputShape(layer: Layer, input: number[]): number[] {
  const [, height = 1, width = 1] = input;
  switch (layer.kind) {
    case 'dense':
      return [layer.units];
    case 'flatten':
      return [product(input)];
    case 'relu':
      return input;
    case 'conv2d': {
      const [[high, wide], [above, beside]] = [layer.kernel, layer.padding];
      return [layer.filters, height + 2 * above - high + 1, width + 2 * beside - wide + 1];
    }
    case 'max_pool2d':
      return [input[0] ?? 1, Math.floor(height / layer.kernel[0]), Math.floor(width / layer.kernel[1])];
  }
}

function affineLayers({ input, layers }: Architecture): Affine[] {
  const found: Affine[] = [];
  let shape = input;
  for (const layer of layers) {
    const output = outputShape(layer, shape);
    const { kind } = layer;
    if (kind === 'dense') found.push({ kind, positions: 1, inputs: product(shape), outputs: layer.units });
    if (kind === 'conv2d') {
      const taps = (shape[0] ?? 1) * product(layer.kernel);
      found.push({ kind, positions: product(output.slice(1)), inputs: taps, outputs: layer.filters });
    }
    shape = output;
  }
  return found;
}

/** Samples in a pass of an evaluation, as `Network::evaluation_tape` makes room for: nets without convolution, and with. */
const PASS = { dense: 512, conv2d: 32 };

/** The matrix products of a net, each once: those of a whole pass of an evaluation and of a whole batch of training. */
export function calls({ architecture, training }: Net): Call[] {
  const layers = affineLayers(architecture);
  const pass = layers.some(({ kind }) => kind === 'conv2d') ? PASS.conv2d : PASS.dense;
  const found = layers.flatMap((layer, index): Call[] => {
    const passes = layer.kind === 'dense' ? denseCalls(layer, pass, training.batch) : convCalls(layer);
    // Nobody asks the first layer for a signal to the one before it.
    return passes.filter(({ pass }) => index > 0 || pass !== 'pull-back');
  });
  return [...new Map(found.map((call) => [JSON.stringify(call), call])).values()];
}

/** x·Wᵀ, dzᵀ·x and dz·W of all samples at once. */
function denseCalls({ inputs, outputs }: Affine, pass: number, batch: number): Call[] {
  const forward = (rows: number): Call => {
    const transposed = { a: false, b: true };
    return { pass: 'forward', rows, depth: inputs, columns: outputs, transposed, update: 'column bias' };
  };
  return [
    forward(pass),
    forward(batch),
    {
      pass: 'gradient',
      rows: outputs,
      depth: batch,
      columns: inputs,
      transposed: { a: true, b: false },
      update: 'replace',
    },
    {
      pass: 'pull-back',
      rows: batch,
      depth: outputs,
      columns: inputs,
      transposed: { a: false, b: false },
      update: 'replace',
    },
  ];
}

/**
 * W·u, dz·uᵀ and Wᵀ·dz of one sample's unfolded image u [inputs, positions], with Wᵀ made before. The core never has u in
 * memory; here it is a matrix.
 */
function convCalls({ positions, inputs, outputs }: Affine): Call[] {
  return [
    {
      pass: 'forward',
      rows: outputs,
      depth: inputs,
      columns: positions,
      transposed: { a: false, b: false },
      update: 'row bias',
    },
    {
      pass: 'gradient',
      rows: outputs,
      depth: positions,
      columns: inputs,
      transposed: { a: false, b: true },
      update: 'add',
    },
    {
      pass: 'pull-back',
      rows: inputs,
      depth: outputs,
      columns: positions,
      transposed: { a: false, b: false },
      update: 'replace',
    },
  ];
}

/** Multiplications and additions of the matrix products of one sample; nothing else is counted. */
export function flopPerSample(architecture: Architecture): { forward: number; training: number } {
  const each = affineLayers(architecture).map(({ positions, inputs, outputs }) => 2 * positions * inputs * outputs);
  const forward = each.reduce((sum, flop) => sum + flop, 0);
  // Forward, the weight's gradient, and the signal to the layer before, which nobody asks of the first.
  return { forward, training: 3 * forward - (each[0] ?? 0) };
}

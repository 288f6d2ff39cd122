/** A net in the layout of TensorFlow.js: channels last, dense kernels [in, out], relu as part of the layer before it. */
import { outputShape, product, type Architecture } from './nets.ts';

export interface PeerLayer {
  kind: 'dense' | 'conv2d' | 'max_pool2d' | 'relu' | 'flatten';
  activation: 'linear' | 'relu';
  kernel: { shape: number[]; values: Float32Array; bias: Float32Array } | null;
  pool: [number, number];
  padding: number;
}

/** Samples of shape [channels, height, width] as [height, width, channels]; others stay as they are. */
export function toImages(input: number[], x: Float32Array): { shape: number[]; values: Float32Array } {
  const [channels = 1, ...size] = input;
  if (size.length !== 2) return { shape: input, values: x };
  const [features, pixels] = [product(input), product(size)];
  const values = x.map((_, i) => {
    const [sample, inside] = [Math.floor(i / features), i % features];
    return x[sample * features + channelFirst(inside, channels, pixels)] ?? 0;
  });
  return { shape: [...size, channels], values };
}

/** Where a number of a channels-last sample stands in one with channels first. */
function channelFirst(place: number, channels: number, pixels: number): number {
  return (place % channels) * pixels + Math.floor(place / channels);
}

export function readLayers({ input, layers }: Architecture, weights: Float32Array): PeerLayer[] {
  const found: PeerLayer[] = [];
  let shape = input;
  /** Shape before the last flatten, by whose order the next dense layer numbers its inputs. */
  let image: number[] = [];
  let read = 0;
  const take = (count: number) => weights.subarray(read, (read += count));
  for (const layer of layers) {
    const { kind } = layer;
    const before = found.at(-1);
    const next: PeerLayer = { kind, activation: 'linear', kernel: null, pool: [1, 1], padding: 0 };
    if (kind === 'relu' && before?.kernel) {
      before.activation = 'relu';
      continue;
    }
    if (kind === 'max_pool2d') next.pool = layer.kernel;
    if (kind === 'flatten') image = shape;
    if (kind === 'dense') {
      const [inputs, outputs] = [product(shape), layer.units];
      const [values, bias] = [take(inputs * outputs), take(outputs)];
      next.kernel = { shape: [inputs, outputs], values: denseKernel(values, inputs, outputs, image), bias };
      image = [];
    }
    if (kind === 'conv2d') {
      const [channels, [high, wide]] = [shape[0] ?? 1, layer.kernel];
      const values = take(layer.filters * channels * high * wide);
      const kernel = convKernel(values, layer.filters, channels, high * wide);
      next.kernel = { shape: [high, wide, channels, layer.filters], values: kernel, bias: take(layer.filters) };
      next.padding = layer.padding[0];
    }
    found.push(next);
    shape = outputShape(layer, shape);
  }
  return found;
}

/** [out, in] to [in, out], with the inputs in the order of a flattened channels-last image if they are one. */
function denseKernel(values: Float32Array, inputs: number, outputs: number, image: number[]): Float32Array {
  const [channels = 1, ...size] = image;
  const pixels = image.length === 3 ? product(size) : inputs;
  return new Float32Array(inputs * outputs).map((_, i) => {
    const [input, output] = [Math.floor(i / outputs), i % outputs];
    const ours = image.length === 3 ? channelFirst(input, channels, pixels) : input;
    return values[output * inputs + ours] ?? 0;
  });
}

/** [out, in, positions] to [positions, in, out]. */
function convKernel(values: Float32Array, filters: number, channels: number, positions: number): Float32Array {
  return new Float32Array(values.length).map((_, i) => {
    const [filter, channel] = [i % filters, Math.floor(i / filters) % channels];
    return values[(filter * channels + channel) * positions + Math.floor(i / (filters * channels))] ?? 0;
  });
}

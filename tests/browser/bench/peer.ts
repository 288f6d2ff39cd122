/** TensorFlow.js as its guides use it: fused layers, gradients by its tape, `optimizer.minimize`, one step a `tidy`. */
import '@tensorflow/tfjs-backend-cpu';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { LEARNING_RATE, type Engine, type Task } from './engine.ts';
import { readLayers, toImages, type PeerLayer } from './layout.ts';
import { product } from './nets.ts';

export type Backend = 'wasm' | 'cpu';

/** What the library says it computes with. */
export interface Environment {
  version: string;
  simd: boolean;
  threads: number;
}

/** One thread, vector instructions, and files of our own server. */
export async function startPeer(): Promise<Environment> {
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plain,
    'tfjs-backend-wasm-simd.wasm': simd,
    'tfjs-backend-wasm-threaded-simd.wasm': threaded,
  });
  setThreadsCount(1);
  await use('wasm');
  const hasSimd = Boolean(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'));
  return { version: tf.version_core, simd: hasSimd, threads: getThreadsCount() };
}

async function use(backend: Backend): Promise<void> {
  const switched = await tf.setBackend(backend);
  if (!switched || tf.getBackend() !== backend) throw new Error(`TensorFlow.js has no backend ${backend}`);
}

interface Batch {
  x: tf.Tensor;
  y: tf.Tensor;
}

export class Peer implements Engine {
  readonly name: string;
  #layers: { layer: PeerLayer; kernel: tf.Variable | null; bias: tf.Variable | null }[] = [];
  #samples: tf.Tensor | null = null;
  #batches: Batch[] = [];
  #optimizer: tf.AdamOptimizer | null = null;

  constructor(
    private readonly task: Task,
    private readonly backend: Backend,
  ) {
    this.name = `tfjs ${backend}`;
  }

  /** Tensors belong to the backend on which they were made, so they are made at the first use. */
  async activate(): Promise<void> {
    await use(this.backend);
    if (this.#samples) return;
    const { net, labels, weights } = this.task;
    const { shape, values } = toImages(net.architecture.input, this.task.x);
    this.#samples = tf.tensor(values, [labels.length, ...shape]);
    this.#layers = readLayers(net.architecture, weights).map((layer) => ({
      layer,
      kernel: layer.kernel ? tf.variable(tf.tensor(layer.kernel.values, layer.kernel.shape)) : null,
      bias: layer.kernel ? tf.variable(tf.tensor(layer.kernel.bias)) : null,
    }));
    const { samples, batch } = net.training;
    const features = product(shape);
    for (let start = 0; start < samples; start += batch) {
      const end = Math.min(start + batch, samples);
      const x = tf.tensor(values.subarray(start * features, end * features), [end - start, ...shape]);
      const classes = tf.tensor1d(Int32Array.from(labels.subarray(start, end)), 'int32');
      this.#batches.push({ x, y: tf.cast(tf.oneHot(classes, net.classes), 'float32') });
      classes.dispose();
    }
  }

  forward(): Float32Array {
    const samples = this.#samples;
    if (!samples) throw new Error('activate first');
    // Read outside: `tidy` looks through every number that is returned from it, as if it might be a tensor.
    const logits = tf.tidy(() => this.#logits(samples));
    const values = logits.dataSync() as Float32Array;
    logits.dispose();
    return values;
  }

  startTraining(): void {
    for (const { layer, kernel, bias } of this.#layers) {
      if (!layer.kernel) continue;
      const [values, biases] = [tf.tensor(layer.kernel.values, layer.kernel.shape), tf.tensor(layer.kernel.bias)];
      kernel?.assign(values);
      bias?.assign(biases);
      tf.dispose([values, biases]);
    }
    this.#optimizer?.dispose();
    this.#optimizer = tf.train.adam(LEARNING_RATE, 0.9, 0.999, 1e-8);
  }

  train(): number[] {
    const optimizer = this.#optimizer;
    if (!optimizer) throw new Error('startTraining first');
    const losses = this.#batches.map(({ x, y }) =>
      tf.tidy(() => {
        const loss = (): tf.Scalar => tf.losses.softmaxCrossEntropy(y, this.#logits(x));
        // Asked for, the loss is there; the library's type does not tell.
        return optimizer.minimize(loss, true) as tf.Scalar;
      }),
    );
    // Read when all is done: to wait for each step's loss is no part of training.
    const values = losses.map((loss) => loss.dataSync()[0] ?? Number.NaN);
    tf.dispose(losses);
    return values;
  }

  dispose(): void {
    tf.dispose([this.#samples ?? [], this.#batches.map(({ x, y }) => [x, y])]);
    tf.dispose(this.#layers.flatMap(({ kernel, bias }) => [kernel ?? [], bias ?? []]));
    this.#optimizer?.dispose();
  }

  #logits(x: tf.Tensor): tf.Tensor {
    return this.#layers.reduce<tf.Tensor>((x, { layer, kernel, bias }) => {
      const { activation } = layer;
      switch (layer.kind) {
        case 'flatten':
          return tf.reshape(x, [x.shape[0] ?? 0, -1]);
        case 'max_pool2d':
          return tf.maxPool(x as tf.Tensor4D, layer.pool, layer.pool, 'valid');
        case 'relu':
          return tf.relu(x);
        case 'dense':
          if (!kernel || !bias) throw new Error('a dense layer has no weights');
          return tf.fused.matMul({ a: x as tf.Tensor2D, b: kernel as tf.Tensor2D, bias, activation });
        case 'conv2d':
          if (!kernel || !bias) throw new Error('a convolution has no weights');
          return tf.fused.conv2d({
            x: x as tf.Tensor4D,
            filter: kernel as unknown as tf.Tensor4D,
            strides: 1,
            pad: layer.padding,
            bias,
            activation,
          });
      }
    }, x);
  }
}

/** Our engine: the core as wasm, through the probe. */
import { Net as Probe } from '../generated/probe/probe.js';
import { LEARNING_RATE, type Engine, type Task } from './engine.ts';
import { product, steps } from './nets.ts';

export class Ours implements Engine {
  readonly name = 'ours';
  /** Two nets, since each holds the samples that it works on. */
  readonly #forward: Probe;
  readonly #training: Probe;

  constructor(private readonly task: Task) {
    const { architecture, training } = task.net;
    const [text, features] = [JSON.stringify(architecture), product(architecture.input)];
    this.#forward = new Probe(text, 0);
    this.#forward.setWeights(task.weights);
    this.#forward.setSamples(task.x, task.labels);
    this.#training = new Probe(text, 0);
    this.#training.setSamples(
      task.x.subarray(0, training.samples * features),
      task.labels.subarray(0, training.samples),
    );
  }

  async activate(): Promise<void> {}

  forward(): Float32Array {
    return this.#forward.forward();
  }

  startTraining(): void {
    this.#training.setWeights(this.task.weights);
    this.#training.startTraining(this.task.net.training.batch, LEARNING_RATE);
  }

  train(): number[] {
    return [...this.#training.train(steps(this.task.net))];
  }

  dispose(): void {
    this.#forward.free();
    this.#training.free();
  }
}

/** What is measured of each engine, and the work that all of them are given. */
import type { Net } from './nets.ts';

export interface Task {
  net: Net;
  /** [samples, features], images as [channels, height, width]. */
  x: Float32Array;
  labels: Uint32Array;
  /** All parameters in the order and layout of a model file. */
  weights: Float32Array;
}

export const LEARNING_RATE = 1e-3;

export interface Engine {
  readonly name: string;
  /** Makes the engine the one that computes, where several share a library. Not part of what is timed. */
  activate(): Promise<void>;
  /** Logits of all samples, [n, classes]. */
  forward(): Float32Array;
  /** Goes back to the task's weights, with a fresh optimizer. */
  startTraining(): void;
  /** One run over the training samples; goes on where the one before ended. Mean loss of each batch before its step. */
  train(): number[];
  dispose(): void;
}

/** How a layer's weights find their centroid. */
export type Method = 'nearest' | 'ecq' | 'ecqx';

/** Everything that decides the quantized net, in the names of the command's flags. */
export interface QuantizeSettings {
  method: Method;
  /** Bit width, 2 to 8: a layer gets 2^bits centroids. */
  bits: number;
  /** Entropy weight λ, 0 to 1. */
  lambda: number;
  /** Relevance scaling: the share of sparsity, 0 to 1, that the relevance correction may give back. */
  p: number;
}

/** Correct answers on a set of images. */
export interface Evaluation {
  samples: number;
  correct: number;
  /** 0 to 1. */
  accuracy: number;
  /** Mean cross entropy in nats. */
  loss: number;
}

/** What a loaded net is. */
export interface ModelReport {
  name: string;
  classes: string[];
  /** All parameters, biases included. */
  parameters: number;
  /** Weights that are quantized. */
  weights: number;
  layers: { name: string; shape: number[]; weights: number }[];
  /** The float net on the test set. */
  float: Evaluation;
}

/** One quantized layer. Counts and costs are listed by cluster, in ascending order of centroid. */
export interface LayerReport {
  name: string;
  weights: number;
  /** Index of the cluster whose centroid is 0. */
  zero: number;
  step_size: number;
  centroids: number[];
  /** Weights per cluster: as assigned, for nearest neighbour, and for ECQ without relevance. */
  occupancy: number[];
  occupancy_nearest: number[];
  occupancy_ecq: number[];
  /** −log2 of each cluster's share, in bits; null for an empty cluster. */
  information_bits: (number | null)[];
  /** Effective entropy weight Λ, in squared weight units per bit. */
  lagrange: number;
  /** Exponent on relevance; null where relevance plays no part. */
  beta: number | null;
  /** Whether the sparsity with relevance lies in the range that p allows; null where relevance plays no part. */
  beta_feasible: boolean | null;
  /** Share of the weights in the zero cluster, 0 to 1. */
  sparsity: number;
  sparsity_nearest: number;
  sparsity_ecq: number;
  entropy_bits_per_weight: number;
  /** A plain sentence where a guard decided (all weights equal, no relevance, …), else null. */
  notice: string | null;
}

/** One quantized net. Totals are over all quantized weights. */
export interface QuantizeReport {
  settings: QuantizeSettings;
  layers: LayerReport[];
  weights: number;
  sparsity: number;
  sparsity_nearest: number;
  sparsity_ecq: number;
  entropy_bits_per_weight: number;
}

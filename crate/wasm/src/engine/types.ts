/** How a layer's weights find their centroid. */
export type Method = 'nearest' | 'ecq' | 'ecqx';

/** What the paper means, with β found exactly; or what the published code computes. */
export type Mode = 'exact' | 'reference';

/** What one layer does otherwise than the net. */
export interface LayerOverride {
  name: string;
  bits?: number | null;
  lambda?: number | null;
  /** It keeps its weights, and no longer counts as the largest layer. */
  exclude?: boolean;
}

/** Everything that decides the quantized net, in the names of the command's flags. */
export interface QuantizeSettings {
  method: Method;
  /** Bit width, 2 to 8: a layer gets 2^bits centroids. */
  bits: number;
  /** Entropy weight λ, 0 to 1. */
  lambda: number;
  /** Relevance scaling: the share of sparsity, 0 to 1, that the relevance correction may give back. */
  p: number;
  /** Exact where it is not said. */
  mode?: Mode;
  /** Exponent on relevance, 0 to 1, set by hand instead of found from p. */
  beta?: number | null;
  /** How many times as dear zero is for a weight of relevance 1, 0.01 to 100; 2 where it is not said. */
  rho?: number | null;
  layers?: LayerOverride[];
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
  /** Shape of one sample, for images [channels, height, width]. */
  input: number[];
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
  bits: number;
  lambda: number;
  /** Index of the cluster whose centroid is 0. */
  zero: number;
  step_size: number;
  centroids: number[];
  /** Weights per cluster: as assigned, for nearest neighbour, and for ECQ without relevance. */
  occupancy: number[];
  occupancy_nearest: number[];
  occupancy_ecq: number[];
  /** Share of each cluster for nearest neighbour, zero lifted to ½ where it has less. */
  shares: number[];
  /** −log2 of these, in bits; null for an empty cluster. */
  information_bits: (number | null)[];
  /** Effective entropy weight Λ, in squared weight units per bit. */
  lagrange: number;
  /**
   * Where each cluster but the last ends without relevance, in weight units; null before the first cluster that is used
   * and from the last one on.
   */
  thresholds: (number | null)[];
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

/** Which rule of relevance propagation applies where; names as published (zennit). */
export type CompositeName =
  | 'epsilon'
  | 'epsilon-plus'
  | 'epsilon-plus-flat'
  | 'epsilon-alpha2-beta1'
  | 'epsilon-alpha2-beta1-flat'
  | 'epsilon-gamma-flat'
  | 'epsilon-gamma-box'
  | 'excitation-backprop';

/** The weights of one layer; all lists are in the weight's layout. */
export interface LayerWeights {
  layer: string;
  /** In weight units. */
  values: Float32Array;
  /** 0 to 1, scaled by the layer's largest. */
  relevances: Float32Array;
  /** 0: not zero, with relevance or without; 1: zero either way; 2: saved from zero by relevance; 3: given up. */
  fates: Uint8Array;
  /** The least and the largest factor that relevance puts on the cost of zero; null where it plays no part. */
  factors: [number, number] | null;
}

/** Why one weight went where it went; costs in squared weight units. */
export interface WeightCosts {
  layer: string;
  /** In the weight's layout, row by row. */
  position: number;
  value: number;
  /** 0 to 1. */
  relevance: number;
  /** The factor ρ·r^β on the cost of zero; 1 where relevance plays no part. */
  factor: number;
  /** By cluster, ascending: (w − w_c)², Λ·I_c (null: takes no weight), and their sum, times the factor for zero. */
  costs: { centroid: number; distance: number; price: number | null; total: number | null }[];
  /** The cluster of the nearest centroid; the cheapest without relevance; the one it got. */
  nearest: number;
  ecq: number;
  chosen: number;
}

/** What one net makes of an image. */
export interface Answer {
  /** The class with the largest logit. */
  class: number;
  /** Softmax, by class. */
  probabilities: number[];
  /** Relevance of each pixel for the explained class, in units of its logit. */
  relevance: number[];
}

/** One image explained for both nets. Maps are [height, width], row by row, summed over channels. */
export interface Explanation {
  height: number;
  width: number;
  image: number[];
  /** What it is, where that is known. */
  label: number | null;
  /** The class that both maps explain: the label, else the float net's answer. */
  explained: number;
  float: Answer;
  quantized: Answer;
  /** Relevance in the quantized net less that in the float net. */
  difference: number[];
}

/**
 * The whole language between the page and the engine's worker. Both unions are closed: a new message makes the compiler
 * list every place that has to know it.
 */
import type {
  CompositeName,
  Evaluation,
  Explanation,
  LayerWeights,
  ModelReport,
  QuantizeReport,
  QuantizeSettings,
  WeightCosts,
} from '../../generated/engine/engine.js';

export type {
  Answer,
  CompositeName,
  Evaluation,
  Explanation,
  LayerReport,
  LayerWeights,
  Method,
  ModelReport,
  QuantizeReport,
  QuantizeSettings,
  WeightCosts,
} from '../../generated/engine/engine.js';

/** What is looked at beside the whole net. */
export interface Focus {
  /** Relevance is measured and maps are made by this composite. */
  composite: CompositeName;
  /** The layer whose weights are shown one by one. */
  layer: string;
  /** The weight of that layer that is explained, by its position; null for none. */
  weight: number | null;
  /** The image that is explained: one of the test set, or the pixels of a drawing. */
  image: number | number[];
}

/** What `quantize` ends with: the net, how it does on the whole test set, and the close looks. */
export interface Quantized {
  report: QuantizeReport;
  evaluation: Evaluation;
  weights: LayerWeights;
  weight: WeightCosts | null;
  /** Null where the net's input is no image. */
  explanation: Explanation | null;
}

/** `code` is stable and made for machines; `message` is one sentence for people. */
export interface EngineError {
  code: string;
  message: string;
}

/** Each job with what it takes, what it ends with and what it tells on the way. */
export interface Jobs {
  load: {
    input: { module: WebAssembly.Module; model: ArrayBuffer; dataset: ArrayBuffer };
    value: ModelReport;
    progress: never;
  };
  quantize: { input: { settings: QuantizeSettings; focus: Focus }; value: Quantized; progress: QuantizeReport };
  ping: { input: object; value: null; progress: never };
}

export type Job = keyof Jobs;

export type Request = { [J in Job]: { id: number; job: J } & Jobs[J]['input'] }[Job];

export type Response =
  /** The worker's script runs, and it holds its lock for life. */
  | { kind: 'alive' }
  | { kind: 'done'; id: number; value: Jobs[Job]['value'] }
  | { kind: 'progress'; id: number; value: QuantizeReport }
  | { kind: 'failed'; id: number; error: EngineError }
  /** The engine panicked: its memory can no longer be trusted, and the worker must go. */
  | { kind: 'crashed'; reason: string };

/** How a call ends. Every call does end, and none throws. `superseded` is made by the page alone. */
export type Outcome<Value> =
  { kind: 'done'; value: Value } | { kind: 'superseded' } | { kind: 'failed'; error: EngineError };

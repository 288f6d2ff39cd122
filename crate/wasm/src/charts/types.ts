/** Colours (`#rrggbb`) and sizes of a chart; sizes are CSS pixels, the drawing multiplies them by `dpr`. */
export interface ChartTheme {
  dpr: number;
  font_family: string;
  font_size: number;
  /** Text and the strongest marks; secondary text; hairlines; the chart's background. */
  ink: string;
  ink_muted: string;
  grid: string;
  surface: string;
  /** Clusters below zero, the zero cluster, clusters above zero. */
  negative: string;
  zero: string;
  positive: string;
  /** The hue of relevance. */
  relevance: string;
  /** The current state of whatever has no sign. */
  accent: string;
}

/** Bars per centroid of one layer; all three lists are shares of the layer's weights, 0 to 1. */
export interface OccupancyChart {
  centroids: number[];
  zero: number;
  current: number[];
  nearest: number[];
  /** ECQ without relevance; null where the method is not ECQx. */
  ecq: number[] | null;
}

/** One row per layer, shares 0 to 1. */
export interface SparsityChart {
  layers: string[];
  current: number[];
  nearest: number[];
  /** ECQ without relevance; null where the method is not ECQx. */
  ecq: number[] | null;
}

/** Accuracy along the control that was moved last. */
export interface AccuracyChart {
  /** The control's name and range; `power` bends the axis as the slider is bent: position = ((x − min)/(max − min))^(1/power). */
  axis: { label: string; min: number; max: number; power: number };
  /** Visited points, in order of visit. */
  trail: { x: number; accuracy: number }[];
  current: { x: number; accuracy: number };
  float_accuracy: number;
  /** 95 % confidence interval of the current accuracy, 0 to 1. */
  interval: [number, number];
}

/** A map of pixels, row by row from the top. */
export interface Heatmap {
  width: number;
  values: number[];
  /** The value with the full colour; maps that are compared share it. */
  limit: number;
  /** Whether values below zero have a hue of their own: relevance; else shades of ink: an image. */
  signed: boolean;
}

/** What each cluster of a layer costs a weight; all values in weight units, costs in their square. */
export interface CostChart {
  centroids: number[];
  zero: number;
  /** Λ·I_c; null for a cluster that takes no weight. */
  prices: (number | null)[];
  /** Where the winner changes, without relevance. */
  thresholds: number[];
  /** The least and the largest factor that relevance puts on the cost of zero; null where it plays no part. */
  factors: [number, number] | null;
  /** A weight that is looked at: its value, and the factor of its relevance. */
  weight: [number, number] | null;
}

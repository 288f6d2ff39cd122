/** Reports -> what the charts plot and the tables list. Shares and axes only: no quantity of the method is computed here. */
import type { AccuracyChart, OccupancyChart, SparsityChart } from '../../lib/charts.ts';
import type { Evaluation, LayerReport, QuantizeReport } from '../../lib/engine/protocol.ts';
import { DIALS } from '../../lib/state/settings.ts';
import type { Trail } from '../../lib/state/trail.ts';
import { wilson95 } from '../../lib/stats.ts';

/** ECQ without relevance is a picture of its own only where relevance may act. */
export function comparesEcq(report: QuantizeReport): boolean {
  return report.settings.method === 'ecqx';
}

export function occupancyOf(layer: LayerReport, withEcq: boolean): OccupancyChart {
  const shares = (counts: number[]) => counts.map((n) => n / layer.weights);
  return {
    centroids: layer.centroids,
    zero: layer.zero,
    current: shares(layer.occupancy),
    nearest: shares(layer.occupancy_nearest),
    ecq: withEcq ? shares(layer.occupancy_ecq) : null,
  };
}

export function sparsityOf(report: QuantizeReport): SparsityChart {
  return {
    layers: report.layers.map((layer) => layer.name),
    current: report.layers.map((layer) => layer.sparsity),
    nearest: report.layers.map((layer) => layer.sparsity_nearest),
    ecq: comparesEcq(report) ? report.layers.map((layer) => layer.sparsity_ecq) : null,
  };
}

export function accuracyOf(trail: Trail, evaluation: Evaluation, floatAccuracy: number): AccuracyChart | null {
  const points = trail.visits.map(({ settings, accuracy }) => ({ x: settings[trail.dial], accuracy }));
  const current = points.at(-1);
  if (!current) return null;
  const { label, scale } = DIALS[trail.dial];
  return {
    axis: { label, min: scale.min, max: scale.max, power: scale.power },
    trail: points,
    current,
    float_accuracy: floatAccuracy,
    interval: wilson95(evaluation.correct, evaluation.samples),
  };
}

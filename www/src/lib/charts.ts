/** The second wasm module: it lives on the page's thread and only draws. Nothing here throws. */
import init, {
  drawAccuracy,
  drawCost,
  drawHeatmap,
  drawOccupancy,
  drawScatter,
  drawSparsity,
} from '../generated/charts/charts.js';
import type {
  AccuracyChart,
  ChartTheme,
  CostChart,
  Heatmap,
  OccupancyChart,
  SparsityChart,
} from '../generated/charts/charts.js';
import wasmUrl from '../generated/charts/charts_bg.wasm?url';
import { loadModule, type Loaded, type PageFile } from './engine/files.ts';
import type { LayerWeights } from './engine/protocol.ts';

export type { AccuracyChart, ChartTheme, CostChart, Heatmap, OccupancyChart, SparsityChart };

/** Puts one chart on one canvas. */
export type Draw = (canvas: HTMLCanvasElement, theme: ChartTheme) => void;

const FILE: PageFile = { what: 'The drawing module', name: 'charts_bg.wasm', url: wasmUrl };

export async function startCharts(fresh: boolean): Promise<Loaded<null>> {
  const module = await loadModule(FILE, fresh);
  if (!module.ok) return module;
  try {
    await init({ module_or_path: module.value });
    return { ok: true, value: null };
  } catch (error) {
    const message = `The drawing module (${FILE.name}) does not fit this page (${String(error)}). Reload the page.`;
    return { ok: false, error: { code: 'charts/start', message } };
  }
}

export const drawing = {
  occupancy:
    (data: OccupancyChart): Draw =>
    (canvas, theme) =>
      drawOccupancy(canvas, data, theme),
  sparsity:
    (data: SparsityChart): Draw =>
    (canvas, theme) =>
      drawSparsity(canvas, data, theme),
  accuracy:
    (data: AccuracyChart): Draw =>
    (canvas, theme) =>
      drawAccuracy(canvas, data, theme),
  cost:
    (data: CostChart, weights: Float32Array): Draw =>
    (canvas, theme) =>
      drawCost(canvas, data, weights, theme),
  heatmap:
    (data: Heatmap): Draw =>
    (canvas, theme) =>
      drawHeatmap(canvas, data, theme),
  scatter:
    ({ values, relevances, fates }: LayerWeights, onzones: (zones: Float32Array) => void): Draw =>
    (canvas, theme) =>
      onzones(drawScatter(canvas, values, relevances, fates, theme)),
};

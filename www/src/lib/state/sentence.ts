/** The state in one sentence. The page sets it large, the live region speaks it; both are made from these words. */
import type { ModelReport, Evaluation, QuantizeReport, QuantizeSettings } from '../engine/protocol.ts';
import { fixed, percent, plain } from '../format.ts';
import { METHODS } from './settings.ts';

/** Whether relevance decided anything: before there is a report, whether it may. */
export function relevanceActs(settings: QuantizeSettings, report: QuantizeReport | null): boolean {
  if (settings.method !== 'ecqx' || settings.lambda === 0) return false;
  return report === null || report.layers.some((layer) => layer.beta !== null);
}

/** The part before the colon, word group by word group. */
export function settingWords(settings: QuantizeSettings, report: QuantizeReport | null): string[] {
  const method = METHODS.find((m) => m.value === settings.method)?.spoken ?? settings.method;
  const words = [method, `${plain(settings.bits)} bit`];
  if (settings.method !== 'nearest') {
    words.push(`λ ${plain(settings.lambda)}`, relevanceActs(settings, report) ? 'relevance on' : 'relevance off');
  }
  return words.map((word, index) => word + (index === words.length - 1 ? ':' : ','));
}

/** What Relevance scaling did: how many zeros it gave back, and whether it could give back more. */
export function relevanceWords(p: number, report: QuantizeReport | null): string {
  if (p === 0) return 'As many zeros as ECQ; relevance only chooses which weights.';
  const moved = report?.layers.filter((layer) => layer.beta !== null) ?? [];
  if (!report || moved.length === 0) return 'Zeros given back to save relevant weights.';
  const given = `Zeros given back: ${percent(Math.max(0, report.sparsity_ecq - report.sparsity))}`;
  // At its limit a layer gives back p, less than one weight short of it.
  const bound = moved.some((layer) => layer.sparsity_ecq - layer.sparsity > p - 1 / layer.weights);
  return bound ? `${given}.` : `${given}, the most here.`;
}

/** What to try next, from where one is. */
export function nextStep({ method, lambda }: QuantizeSettings): string {
  if (method === 'nearest') return 'Choose ECQ or ECQx: then bits have a price, λ.';
  if (lambda >= 0.5) return 'Drag λ back to the left: weights return, and accuracy with them.';
  return 'Drag λ to the right: weights fall into zero, until accuracy gives way.';
}

export function fullSentence(model: ModelReport, report: QuantizeReport, evaluation: Evaluation): string {
  return [
    ...settingWords(report.settings, report),
    `${percent(evaluation.accuracy)} correct`,
    `(float ${percent(model.float.accuracy)}),`,
    `${percent(report.sparsity, 0)} zeros,`,
    `${fixed(report.entropy_bits_per_weight, 2)} bits per weight`,
  ].join(' ');
}

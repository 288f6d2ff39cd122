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

export function fullSentence(model: ModelReport, report: QuantizeReport, evaluation: Evaluation): string {
  return [
    ...settingWords(report.settings, report),
    `${percent(evaluation.accuracy)} correct`,
    `(float ${percent(model.float.accuracy)}),`,
    `${percent(report.sparsity, 0)} zeros,`,
    `${fixed(report.entropy_bits_per_weight, 2)} bits per weight`,
  ].join(' ');
}

import type { LayerWeights } from '../../lib/engine/protocol.ts';

/** What can become of a weight, in the order of the engine's numbers. */
export const FATES = [
  { key: 'kept', label: 'kept' },
  { key: 'zeroed', label: 'zeroed' },
  { key: 'saved', label: 'saved by relevance' },
  { key: 'given-up', label: 'given up' },
] as const;

const SAVED = 2;

export interface WeightRow {
  /** In the layer, row by row, from 0. */
  position: number;
  value: number;
  relevance: number;
  fate: number;
}

/** Longer tables are read by nobody and slow the page down. */
const LONGEST = 200;

/** The weights worth a row of the table: those that relevance decided about first, then the most relevant. */
export function notable({ values, relevances, fates }: LayerWeights): WeightRow[] {
  const rows = Array.from(fates, (fate, position) => {
    return { position, value: values[position] ?? 0, relevance: relevances[position] ?? 0, fate };
  });
  const decided = ({ fate }: WeightRow) => Number(fate >= SAVED);
  return rows.sort((a, b) => decided(b) - decided(a) || b.relevance - a.relevance).slice(0, LONGEST);
}

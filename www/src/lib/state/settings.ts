/** The controls: names, ranges, and what the page opens with. */
import type { CompositeName, Method, ModelReport, QuantizeSettings } from '../engine/protocol.ts';
import type { Scale } from '../scale.ts';

export type DialKey = 'bits' | 'lambda' | 'p';

export interface Dial {
  key: DialKey;
  /** Accessible name, also used in sentences. */
  label: string;
  scale: Scale;
  /** Values marked under the track. */
  ticks: number[];
}

export const METHODS: { value: Method; label: string; spoken: string }[] = [
  { value: 'nearest', label: 'nearest neighbour', spoken: 'Nearest neighbour' },
  { value: 'ecq', label: 'ECQ', spoken: 'ECQ' },
  { value: 'ecqx', label: 'ECQx', spoken: 'ECQx' },
];

export const DIALS: Record<DialKey, Dial> = {
  bits: {
    key: 'bits',
    label: 'Bit width',
    scale: { min: 2, max: 8, power: 1, step: 1, grain: () => 1, arrow: 1 / 6, page: 2 / 6 },
    ticks: [2, 3, 4, 5, 6, 7, 8],
  },
  lambda: {
    key: 'lambda',
    label: 'Entropy weight λ',
    scale: { min: 0, max: 1, power: 3, step: 0.0001, grain: lambdaGrain, arrow: 0.01, page: 0.1 },
    ticks: [0, 0.01, 0.1, 0.3, 0.6, 1],
  },
  p: {
    key: 'p',
    label: 'Relevance scaling',
    // Bent as well: most of what p does, it does near 0.
    scale: {
      min: 0,
      max: 0.5,
      power: 2,
      step: 0.001,
      grain: (p) => (p < 0.05 ? 0.001 : 0.005),
      arrow: 0.02,
      page: 0.1,
    },
    ticks: [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5],
  },
};

/** About two digits that mean something, wherever on the bent track. */
function lambdaGrain(lambda: number): number {
  if (lambda < 0.01) return 0.0001;
  return lambda < 0.2 ? 0.001 : 0.01;
}

export const DEFAULTS: Readonly<QuantizeSettings> = { method: 'ecqx', bits: 4, lambda: 0.08, p: 0.1 };

export type ModelName = 'digits-mlp' | 'digits-cnn' | 'digits-resnet' | 'spirals-mlp';

export const MODELS: readonly ModelName[] = ['digits-mlp', 'digits-cnn', 'digits-resnet', 'spirals-mlp'];

/** What each net does, in a sentence. */
export const TASKS: Record<ModelName, string> = {
  'digits-mlp': 'This net reads handwritten digits.',
  'digits-cnn': 'This net of convolutions reads handwritten digits.',
  'digits-resnet': 'This net of residual blocks reads handwritten digits.',
  'spirals-mlp': 'This net tells the arms of three spirals apart.',
};

export const COMPOSITES: readonly CompositeName[] = [
  'epsilon',
  'epsilon-plus',
  'epsilon-plus-flat',
  'epsilon-alpha2-beta1',
  'epsilon-alpha2-beta1-flat',
  'epsilon-gamma-flat',
  'epsilon-gamma-box',
  'excitation-backprop',
];

/** What is looked at, beside the settings that decide the net. */
export interface View {
  model: ModelName;
  composite: CompositeName;
  /** Null: the layer with most weights. */
  layer: string | null;
  /** Position in the layer; null: none. */
  weight: number | null;
  image: ImageChoice;
}

/** An image of the test set, or a drawing: its pixels row by row as levels of ink from 0 to 16. */
export type ImageChoice = { kind: 'test'; index: number } | { kind: 'drawing'; levels: number[] };

export const FIRST_VIEW: Readonly<View> = {
  model: 'digits-mlp',
  // For dense layers the same as `epsilon`; in convolutions, ε alone divides by outputs near zero and tells little.
  composite: 'epsilon-plus',
  layer: null,
  weight: null,
  image: { kind: 'test', index: 0 },
};

const CONVOLUTIONS: Partial<Record<CompositeName, string>> = {
  'epsilon-plus': 'z⁺ in convolutions',
  'epsilon-plus-flat': 'z⁺ in convolutions, flat at the first layer',
  'epsilon-alpha2-beta1': 'α2β1 in convolutions',
  'epsilon-alpha2-beta1-flat': 'α2β1 in convolutions, flat at the first layer',
  'epsilon-gamma-flat': 'γ in convolutions, flat at the first layer',
  'epsilon-gamma-box': 'γ in convolutions, zᴮ at the first',
};

/** What a composite does, and where it changes nothing. */
export function compositeWords(composite: CompositeName, model: ModelReport | null): string {
  if (composite === 'epsilon') return 'The ε-rule everywhere.';
  if (composite === 'excitation-backprop') return 'z⁺ everywhere.';
  const rules = `ε, ${CONVOLUTIONS[composite] ?? ''}`;
  const isDense = model !== null && model.layers.every(({ shape }) => shape.length === 2);
  if (!isDense) return `${rules}.`;
  return composite.endsWith('-flat') ? `${rules}; changes only maps here.` : `${rules}; none here.`;
}

/** Why a dial changes nothing at these settings; null where it does. */
export function withoutEffect(key: DialKey, { method, lambda }: QuantizeSettings): string | null {
  if (key === 'lambda' && method === 'nearest') return 'No effect here: nearest neighbour ignores λ.';
  if (key !== 'p') return null;
  if (method !== 'ecqx') return 'No effect here: only ECQx uses relevance.';
  return lambda === 0 ? 'No effect while λ is 0.' : null;
}

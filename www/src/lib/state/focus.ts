/** What is looked at, compared with what a net has. */
import type { Focus, ModelReport } from '../engine/protocol.ts';
import { FIRST_VIEW, type ImageChoice, type View } from './settings.ts';

/** The layer that is looked at: the chosen one, else that with most weights. */
export function layerOf({ layer }: View, model: ModelReport | null): string {
  const layers = model?.layers ?? [];
  const chosen = layers.find(({ name }) => name === layer);
  return (chosen ?? layers.reduce((a, b) => (b.weights > a.weights ? b : a), { name: '', weights: -1 })).name;
}

/** What to ask the engine for; the view must fit the net. */
export function focusOf(view: View, model: ModelReport): Focus {
  const { composite, weight, image } = view;
  const pixels = (levels: number[]) => levels.map((level) => level / 16);
  return {
    composite,
    weight,
    layer: layerOf(view, model),
    image: image.kind === 'test' ? image.index : pixels(image.levels),
  };
}

/** The view without what the net does not have, and a few words about each thing that gave way. */
export function fit(view: View, model: ModelReport): { view: View; missing: string[] } {
  const known = model.layers.map(({ name }) => name);
  const missing: string[] = [];
  let { layer, weight, image } = view;
  if (layer !== null && !known.includes(layer)) {
    missing.push(`it has no layer “${layer.slice(0, 24)}”, only ${known.join(', ')}`);
    [layer, weight] = [null, null];
  }
  const own = layerOf({ ...view, layer }, model);
  const weights = model.layers.find(({ name }) => name === own)?.weights ?? 0;
  if (weight !== null && weight >= weights) {
    missing.push(`layer ${own} has no weight ${weight}, its last is ${weights - 1}`);
    weight = null;
  }
  const without = whyNot(image, model);
  if (without !== null) {
    missing.push(without);
    image = FIRST_VIEW.image;
  }
  return { view: { ...view, layer, weight, image }, missing };
}

function whyNot(image: ImageChoice, { input, float }: ModelReport): string | null {
  if (image.kind === 'test') {
    return image.index < float.samples ? null : `there is no image ${image.index}, the last is ${float.samples - 1}`;
  }
  const pixels = input.length === 3 ? (input[1] ?? 0) * (input[2] ?? 0) : 0;
  return image.levels.length === pixels ? null : `the drawing has ${image.levels.length} pixels, not ${pixels}`;
}

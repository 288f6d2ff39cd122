/** State <-> URL hash. A link is input from outside: every field is checked, and a bad one costs only itself. */
import type { QuantizeSettings } from '../engine/protocol.ts';
import { readTyped } from '../scale.ts';
import {
  COMPOSITES,
  DEFAULTS,
  DIALS,
  FIRST_VIEW,
  METHODS,
  MODELS,
  type DialKey,
  type ImageChoice,
  type View,
} from './settings.ts';

export interface Link {
  settings: QuantizeSettings;
  view: View;
  /** One sentence about what could not be used, or null. */
  complaint: string | null;
}

/** Levels of ink in a drawing, one letter each. */
const LEVELS = '0123456789abcdefg';

/** Settings always, what is looked at only where it differs from the first view: links stay short. */
export function writeHash({ method, bits, lambda, p }: QuantizeSettings, view: View = FIRST_VIEW): string {
  const { model, composite, layer, weight, image } = view;
  const fields: [string, string | number | null][] = [
    ['model', model === FIRST_VIEW.model ? null : model],
    ['method', method],
    ['bits', bits],
    ['lambda', lambda],
    ['p', p],
    ['composite', composite === FIRST_VIEW.composite ? null : composite],
    ['layer', layer === null ? null : encodeURIComponent(layer)],
    ['weight', weight],
    ['image', image.kind === 'test' && image.index > 0 ? image.index : null],
    ['drawing', image.kind === 'drawing' ? image.levels.map((level) => LEVELS[level] ?? '0').join('') : null],
  ];
  const written = fields.filter(([, value]) => value !== null).map(([key, value]) => `${key}=${value}`);
  return `#/explore?${written.join('&')}`;
}

export function readHash(hash: string): Link {
  const [path = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  const fields = new URLSearchParams(query);
  const wrong: string[] = [];
  if (path !== '' && path !== '/' && path !== '/explore') wrong.push(`there is no view “${short(path)}”`);

  const settings: QuantizeSettings = { ...DEFAULTS };
  settings.method = choice(
    'method',
    METHODS.map(({ value }) => value),
    DEFAULTS.method,
  );
  for (const key of ['bits', 'lambda', 'p'] satisfies DialKey[]) {
    const text = fields.get(key);
    if (text === null) continue;
    const typed = readTyped(DIALS[key].scale, text);
    if (typed.ok) settings[key] = typed.value;
    else wrong.push(`${key} “${short(text)}” is not in ${DIALS[key].scale.min} to ${DIALS[key].scale.max}`);
  }
  const view: View = {
    model: choice('model', MODELS, FIRST_VIEW.model),
    composite: choice('composite', COMPOSITES, FIRST_VIEW.composite),
    layer: fields.get('layer'),
    weight: whole('weight'),
    image: readImage(),
  };
  const complaint =
    wrong.length > 0 ? `The link was read only in part: ${wrong.join('; ')}; defaults are used there.` : null;
  return { settings, view, complaint };

  function choice<Value extends string>(key: string, values: readonly Value[], otherwise: Value): Value {
    const text = fields.get(key);
    const known = values.find((value) => value === text);
    if (known === undefined && text !== null) wrong.push(`${key} “${short(text)}” is none of ${values.join(', ')}`);
    return known ?? otherwise;
  }

  function readImage(): ImageChoice {
    const drawing = fields.get('drawing');
    if (drawing === null) {
      const index = whole('image');
      return index === null ? FIRST_VIEW.image : { kind: 'test', index };
    }
    const levels = [...drawing].map((letter) => LEVELS.indexOf(letter));
    if (levels.length > 0 && !levels.includes(-1)) return { kind: 'drawing', levels };
    wrong.push(`the drawing “${short(drawing)}” is not made of 0 to 9 and a to g`);
    return FIRST_VIEW.image;
  }

  function whole(key: string): number | null {
    const text = fields.get(key);
    if (text === null || /^\d{1,9}$/.test(text)) return text === null ? null : Number(text);
    wrong.push(`${key} “${short(text)}” is no whole number from 0 on`);
    return null;
  }
}

function short(text: string): string {
  return text.length > 24 ? `${text.slice(0, 24)}…` : text;
}

/** Settings <-> URL hash. A link is input from outside: every field is checked, and a bad one costs only itself. */
import type { QuantizeSettings } from '../engine/protocol.ts';
import { readTyped } from '../scale.ts';
import { DEFAULTS, DIALS, METHODS, MODELS, type DialKey } from './settings.ts';

export interface Link {
  settings: QuantizeSettings;
  /** One sentence about what could not be used, or null. */
  complaint: string | null;
}

export function writeHash({ method, bits, lambda, p }: QuantizeSettings): string {
  return `#/explore?method=${method}&bits=${bits}&lambda=${lambda}&p=${p}`;
}

export function readHash(hash: string): Link {
  const [path = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  const fields = new URLSearchParams(query);
  const settings: QuantizeSettings = { ...DEFAULTS };
  const wrong: string[] = [];

  if (path !== '' && path !== '/' && path !== '/explore') wrong.push(`there is no view “${short(path)}”`);

  const method = fields.get('method');
  const known = METHODS.find((m) => m.value === method);
  if (known) settings.method = known.value;
  else if (method !== null)
    wrong.push(`method “${short(method)}” is none of ${METHODS.map((m) => m.value).join(', ')}`);

  for (const key of ['bits', 'lambda', 'p'] satisfies DialKey[]) {
    const text = fields.get(key);
    if (text === null) continue;
    const typed = readTyped(DIALS[key].scale, text);
    if (typed.ok) settings[key] = typed.value;
    else wrong.push(`${key} “${short(text)}” is not in ${DIALS[key].scale.min} to ${DIALS[key].scale.max}`);
  }

  const model = fields.get('model');
  if (model !== null && !MODELS.some((m) => m.value === model)) wrong.push(`there is no model “${short(model)}”`);

  const complaint =
    wrong.length > 0 ? `The link was read only in part: ${wrong.join('; ')}; defaults are used there.` : null;
  return { settings, complaint };
}

function short(text: string): string {
  return text.length > 24 ? `${text.slice(0, 24)}…` : text;
}

/** The conformance vectors in Chromium: gradients, training steps, relevances, rules and assignments of the core as wasm. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test, type ProbeScope } from './probe.ts';
import { readTensors, type TensorFile } from './safetensors.ts';

const FOLDER = 'tests/vectors/ecqx';
/** Of the largest magnitude of the expected tensor, as for the native core. */
const TOLERANCE = 1e-4;
/** Gradients below this are rounding. */
const ROUNDING = 1e-6;
/** A filter with an output of 1e-5, by which relevance is divided; the core's test says which. */
const ROUGH = 1e-3;

const names = readdirSync(FOLDER).filter((name) => /^(train|lrp|rule|assign)-/.test(name));

interface Case {
  optimizer?: string;
  lr?: number;
  losses?: number[];
}

/** What the file expects by name. Relevances of biases and of batch norm are in the files, but nothing asks for them. */
function expected({ tensors }: TensorFile, { losses }: Case): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [tensor, { shape, data }] of tensors) {
    const isResult = /^(grad\.|after\.|out\.|logits$|weight_relevance\.|input_relevance\.|z$|relevance_in$)/.test(
      tensor,
    );
    if (isResult && !(tensor.startsWith('weight_relevance.') && shape.length < 2)) {
      found.set(tensor, Array.from(data, Number));
    }
  }
  if (losses) found.set('losses', losses);
  return found;
}

/**
 * How far a tensor may be off. Adam steps by the learning rate however small the gradient; where that is rounding (a bias
 * before batch norm, whose mean is taken away again), four steps go up or down on either side, and the running mean
 * follows with its momentum of 0.1.
 */
function tolerance(
  tensor: string,
  values: number[],
  undecided: Set<string>,
  { optimizer, lr = 0 }: Case,
  rough: boolean,
): number {
  const scale = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  if (tensor.startsWith('grad.') && scale < ROUNDING) return 2 * ROUNDING;
  if (optimizer === 'adam' && undecided.size > 0) {
    if (undecided.has(tensor.replace(/^after/, 'grad'))) return 8.1 * lr;
    if (tensor.endsWith('.running_mean')) return 4 * 0.1 * 8.1 * lr;
  }
  return (rough ? ROUGH : TOLERANCE) * scale;
}

test('there are vectors of each kind', () => {
  for (const kind of ['train', 'lrp', 'rule', 'assign']) expect(names.some((name) => name.startsWith(kind))).toBe(true);
});

/** `assign-cnn`, `lrp-mlp`, …: each vector in a page of its own would take minutes to open pages. */
const group = (name: string) => name.split('-', 2).join('-');

for (const kind of new Set(names.map(group))) {
  test(kind, async ({ probe }) => {
    for (const name of names.filter((name) => group(name) === kind)) {
      await test.step(name, () => runVector(probe, name));
    }
  });
}

async function runVector(probe: Page, name: string): Promise<void> {
  const bytes = readFileSync(join(FOLDER, name));
  const computed = await probe.evaluate(
    (bytes) => (globalThis as ProbeScope).probe.runVector(bytes),
    new Uint8Array(bytes),
  );
  const file = readTensors(bytes);
  const settings = JSON.parse(file.metadata.case ?? '{}') as Case;
  const wanted = expected(file, settings);
  expect(Object.keys(computed).sort(), name).toEqual([...wanted.keys()].sort());
  const rounding = [...wanted].filter(
    ([tensor, values]) => tensor.startsWith('grad.') && values.every((v) => Math.abs(v) < ROUNDING),
  );
  const undecided = new Set(rounding.map(([tensor]) => tensor));
  for (const [tensor, values] of wanted) {
    const got = computed[tensor] ?? new Float32Array();
    expect(got.length, `${name}: ${tensor}`).toBe(values.length);
    const worst = values.reduce((max, value, i) => Math.max(max, Math.abs(value - (got[i] ?? Number.NaN))), 0);
    const rough = name.startsWith('lrp-resnet') && tensor === 'weight_relevance.conv3.weight';
    const allowed = tolerance(tensor, values, undecided, settings, rough);
    // `not above` would let NaN pass.
    expect(worst <= allowed, `${name}: ${tensor} is off by ${worst}, allowed are ${allowed}`).toBe(true);
  }
}

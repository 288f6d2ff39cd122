/** Page and native command, same files and settings: the same numbers, to the last digit. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Evaluation, QuantizeReport, QuantizeSettings } from '../../www/src/lib/engine/protocol.ts';
import { expect, test } from './lab.ts';

const MODEL = 'assets/models/digits-mlp.safetensors';
const DATA = 'assets/datasets/digits.safetensors';

const SETTINGS: QuantizeSettings[] = [
  { method: 'ecqx', bits: 3, lambda: 0.12, p: 0.1 },
  { method: 'ecqx', bits: 2, lambda: 0.02, p: 0.01 },
  { method: 'ecqx', bits: 8, lambda: 0.35, p: 0.4 },
  { method: 'ecqx', bits: 4, lambda: 0, p: 0.1 },
  { method: 'ecq', bits: 5, lambda: 0.0345, p: 0.1 },
  { method: 'ecq', bits: 4, lambda: 1, p: 0 },
  { method: 'nearest', bits: 2, lambda: 0.5, p: 0.5 },
];

let folder = '';

function ecqx(...args: string[]): string {
  const command = process.env.ECQX_CLI;
  if (!command) throw new Error('ECQX_CLI is not set; setup.ts sets it');
  return execFileSync(command, args, { encoding: 'utf8' });
}

test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ecqx-native-'));
  const relevance = join(folder, 'relevance.safetensors');
  ecqx('lrp', '--model', MODEL, '--data', DATA, '--split', 'train', '--composite', 'epsilon', '-o', relevance);
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

for (const settings of SETTINGS) {
  const { method, bits, lambda, p } = settings;
  test(`${method}, ${bits} bit, λ ${lambda}, p ${p}`, async ({ lab }) => {
    const quantized = join(folder, 'quantized.safetensors');
    const flags = ['--method', method, '--bits', String(bits), '--lambda', String(lambda), '--p', String(p)];
    const relevance = ['--relevance', join(folder, 'relevance.safetensors')];
    const report = JSON.parse(
      ecqx('quantize', '--model', MODEL, ...flags, ...relevance, '-o', quantized, '--json'),
    ) as QuantizeReport;
    const evaluation = JSON.parse(ecqx('eval', '--model', quantized, '--data', DATA, '--json')) as Evaluation;
    const float = JSON.parse(ecqx('eval', '--model', MODEL, '--data', DATA, '--json')) as Evaluation;

    await lab.open(`method=${method}&bits=${bits}&lambda=${lambda}&p=${p}`);
    expect(await lab.metric('accuracy')).toBe(evaluation.accuracy);
    expect(await lab.metric('float-accuracy')).toBe(float.accuracy);
    expect(await lab.metric('sparsity')).toBe(report.sparsity);
    expect(await lab.metric('entropy')).toBeCloseTo(report.entropy_bits_per_weight, 6);

    const rows = await lab.table('Cluster occupancy');
    const shares = report.layers.flatMap((layer) => layer.occupancy.map((n) => n / layer.weights));
    const nearest = report.layers.flatMap((layer) => layer.occupancy_nearest.map((n) => n / layer.weights));
    expect(rows.map((row) => row[3])).toEqual(shares);
    expect(rows.map((row) => row[4])).toEqual(nearest);
    const zeros = report.layers.map((layer) => layer.sparsity);
    expect((await lab.table('Sparsity per layer')).map((row) => row[1])).toEqual(zeros);

    const betas = await lab.page
      .locator('[data-metric="beta"]')
      .evaluateAll((all) => all.map((element) => Number((element as HTMLElement).dataset.value)));
    const expected = report.layers.map((layer) => layer.beta).filter((beta) => beta !== null);
    expect(betas).toHaveLength(expected.length);
    for (const [index, beta] of expected.entries()) expect(betas[index]).toBeCloseTo(beta, 5);
  });
}

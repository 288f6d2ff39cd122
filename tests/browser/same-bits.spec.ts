/** Training in Chromium and by the native command, same seed: the same bits in every weight. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type ProbeScope } from './probe.ts';
import { readTensors } from './safetensors.ts';

const DATA = 'assets/datasets/digits.safetensors';

/** A training run; with a momentum by SGD, else by Adam. */
interface Run {
  name: string;
  epochs: number;
  batch: number;
  rate: number;
  momentum?: number;
  decay: number;
  seed: number;
}

const ADAM = { batch: 64, rate: 1e-3, decay: 1e-4, seed: 7 };
const RUNS: Run[] = [
  { name: 'digits-mlp', epochs: 3, ...ADAM },
  { name: 'digits-cnn', epochs: 1, ...ADAM },
  { name: 'digits-resnet', epochs: 1, ...ADAM },
  { name: 'digits-cnn', epochs: 1, batch: 50, rate: 0.02, momentum: 0.9, decay: 1e-3, seed: 8 },
];

let folder = '';
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ecqx-same-bits-'));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The native command's file. */
function trainNatively(architecture: string, run: Run): Uint8Array {
  const command = process.env.ECQX_CLI;
  if (!command) throw new Error('ECQX_CLI is not set; setup.ts sets it');
  const { epochs, batch, rate, momentum, decay, seed } = run;
  const output = join(folder, 'model.safetensors');
  const optimizer = momentum === undefined ? ['adam'] : ['sgd', '--momentum', momentum];
  const numbers = ['--epochs', epochs, '--batch-size', batch, '--lr', rate, '--weight-decay', decay, '--seed', seed];
  const settings = [...numbers, '--optimizer', ...optimizer].map(String);
  execFileSync(command, ['train', '--model', architecture, '--data', DATA, '-o', output, ...settings, '--json']);
  return readFileSync(output);
}

for (const { name, ...training } of RUNS) {
  test(`${name}, ${training.momentum === undefined ? 'Adam' : 'SGD'}`, async ({ probe }) => {
    const path = `assets/models/${name}.json`;
    const native = readTensors(trainNatively(path, { name, ...training }));
    const input = { text: readFileSync(path, 'utf8'), data: new Uint8Array(readFileSync(DATA)), training };
    const file = await probe.evaluate(
      ({ text, data, training }) => (globalThis as ProbeScope).probe.trainFile(text, data, training),
      input,
    );
    const wasm = readTensors(file);
    // Metadata differ: only the command knows of files and says how well the net does.
    expect(wasm.layout).toEqual(native.layout);
    const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    expect(native.payload.length).toBeGreaterThan(0);
    expect(digest(wasm.payload)).toBe(digest(native.payload));
  });
}

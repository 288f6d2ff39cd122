/** Training in Chromium and by the native command, same seed: the same bits in every weight. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type ProbeScope } from './probe.ts';
import { readTensors } from './safetensors.ts';

const DATA = 'assets/datasets/digits.safetensors';
const SETTINGS = { epochs: 3, batch: 64, rate: 1e-3, seed: 7 };

let folder = '';
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ecqx-same-bits-'));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The native command's file. */
function trainNatively(architecture: string): Uint8Array {
  const command = process.env.ECQX_CLI;
  if (!command) throw new Error('ECQX_CLI is not set; setup.ts sets it');
  const { epochs, batch, rate, seed } = SETTINGS;
  const output = join(folder, 'model.safetensors');
  const settings = ['--epochs', epochs, '--batch-size', batch, '--lr', rate, '--seed', seed].map(String);
  execFileSync(command, ['train', '--model', architecture, '--data', DATA, '-o', output, ...settings, '--json']);
  return readFileSync(output);
}

for (const name of ['digits-mlp']) {
  test(name, async ({ probe }) => {
    const path = `assets/models/${name}.json`;
    const native = readTensors(trainNatively(path));
    const input = { text: readFileSync(path, 'utf8'), data: new Uint8Array(readFileSync(DATA)), ...SETTINGS };
    const file = await probe.evaluate(
      ({ text, data, epochs, batch, rate, seed }) =>
        (globalThis as ProbeScope).probe.trainFile(text, data, epochs, batch, rate, seed),
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

/** Foreign dataset files in Chromium and through the native command: the same bytes come out. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test, type ProbeScope } from './probe.ts';

let folder = '';
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ecqx-readers-'));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (count: number, of: (index: number) => number) => Uint8Array.from({ length: count }, (_, i) => of(i));

/** An IDX file of bytes: a magic number that ends in the number of dimensions, their sizes, the values. */
function idx(shape: number[], values: Uint8Array): Uint8Array {
  const head = [0, 0, 8, shape.length, ...shape.flatMap((n) => [n >> 24, n >> 16, n >> 8, n])];
  return Uint8Array.from([...head, ...values]);
}

const TABLE = 'width;height;kind\n1,5;2;round\n-0,25;1e3;"long; thin"\n7;8;round\n';
const CASES: Record<string, Record<string, Uint8Array>> = {
  CSV: { 'table.csv': new TextEncoder().encode(TABLE) },
  'MNIST, one file gzipped': {
    'train-images-idx3-ubyte.gz': gzipSync(
      idx(
        [3, 2, 2],
        bytes(12, (i) => i * 20),
      ),
    ),
    'train-labels-idx1-ubyte': idx(
      [3],
      bytes(3, (i) => i),
    ),
    't10k-images-idx3-ubyte': idx(
      [1, 2, 2],
      bytes(4, (i) => 255 - i),
    ),
    't10k-labels-idx1-ubyte': idx(
      [1],
      bytes(1, () => 9),
    ),
  },
  'CIFAR-10': { 'data_batch_1.bin': bytes(2 * 3073, (i) => (i % 3073 === 0 ? (i / 3073) * 7 : i % 251)) },
};

for (const [name, files] of Object.entries(CASES)) {
  test(name, async ({ probe }) => {
    const command = process.env.ECQX_CLI;
    if (!command) throw new Error('ECQX_CLI is not set; setup.ts sets it');
    const output = join(folder, 'out.safetensors');
    const paths = Object.entries(files).map(([file, content]) => {
      writeFileSync(join(folder, file), content);
      return join(folder, file);
    });
    execFileSync(command, ['data', 'convert', ...paths, '--name', 'same', '-o', output, '--json']);
    const input = { names: paths, contents: Object.values(files).map((content) => Array.from(content)) };
    const converted = await probe.evaluate(({ names, contents }) => {
      const buffers = contents.map((content) => Uint8Array.from(content));
      return Array.from((globalThis as ProbeScope).probe.convertDataset(names, buffers, 'same'));
    }, input);
    expect(Buffer.from(converted).equals(readFileSync(output))).toBe(true);
  });
}

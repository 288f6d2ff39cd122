/** Before any test: the page must be built, and the native command must be there to compare with. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

export default function setup(): void {
  if (!existsSync('dist/index.html')) throw new Error('dist/ is missing: run `cargo xtask build` first.');
  if (process.env.ECQX_CLI) return;
  execFileSync('cargo', ['build', '--quiet', '--release', '--package', 'ecqx-cli'], { stdio: 'inherit' });
  process.env.ECQX_CLI = resolve(process.env.CARGO_TARGET_DIR ?? 'target', 'release', 'ecqx');
}

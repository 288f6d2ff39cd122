/** Owns the engine's wasm module and its session. No DOM here; see protocol.ts for what it understands. */
import init, { Session } from '../../generated/engine/engine.js';
import type { Job, Jobs, Request, Response } from './protocol.ts';

/** The part of the worker's global scope that is used here; TypeScript's own type of it clashes with the page's. */
interface Scope {
  readonly name: string;
  onmessage: ((event: MessageEvent<Request>) => void) | null;
  postMessage(message: Response): void;
  /** Text of the engine's last panic, left by its panic hook. */
  ecqxPanic?: string;
}

const scope = self as unknown as Scope;
let session: Session | null = null;

async function load({ module, model, dataset }: Jobs['load']['input']): Promise<Jobs['load']['value']> {
  await init({ module_or_path: module });
  session?.free();
  session = new Session(new Uint8Array(model), new Uint8Array(dataset));
  return session.describe();
}

function quantize(id: number, { settings, focus }: Jobs['quantize']['input']): Jobs['quantize']['value'] {
  if (!session) throw Object.assign(new Error('No net is loaded.'), { name: 'model/none' });
  session.setComposite(focus.composite);
  const report = session.quantize(settings);
  // Cluster counts are exact at once; accuracy needs the whole test set and follows.
  scope.postMessage({ kind: 'progress', id, value: report });
  const evaluation = session.evaluate();
  const explanation =
    typeof focus.image === 'number'
      ? session.explainTest(focus.image)
      : session.explainImage(new Float32Array(focus.image));
  const weight = focus.weight === null ? null : session.weight(focus.layer, focus.weight);
  return { report, evaluation, weights: session.weights(focus.layer), weight, explanation };
}

async function answer(request: Request): Promise<Jobs[Job]['value']> {
  switch (request.job) {
    case 'load':
      return load(request);
    case 'quantize':
      return quantize(request.id, request);
    case 'ping':
      return null;
  }
}

/** The engine's own errors carry a code such as `settings/bits` as their name; anything else is a bug or a panic. */
function refusal(id: number, error: unknown): Response {
  if (error instanceof Error && error.name.includes('/')) {
    return { kind: 'failed', id, error: { code: error.name, message: error.message } };
  }
  return { kind: 'crashed', reason: scope.ecqxPanic ?? (error instanceof Error ? error.message : String(error)) };
}

scope.onmessage = ({ data }) => {
  answer(data).then(
    (value) => scope.postMessage({ kind: 'done', id: data.id, value }),
    (error: unknown) => scope.postMessage(refusal(data.id, error)),
  );
};

// The browser frees a lock when its holder dies, however it dies: the page waits for that (link.ts).
if ('locks' in navigator) {
  void navigator.locks.request(scope.name, () => {
    scope.postMessage({ kind: 'alive' });
    return new Promise<never>(() => undefined);
  });
} else {
  scope.postMessage({ kind: 'alive' });
}

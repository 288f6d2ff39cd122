import { WorkerLink } from './link.ts';
import { Mailbox } from './mailbox.ts';
import type { Jobs, ModelReport, Outcome, Quantized, QuantizeReport } from './protocol.ts';

/** What the page keeps, so that a dead worker can be replaced without asking the network again. */
export interface EngineFiles {
  module: WebAssembly.Module;
  model: ArrayBuffer;
  dataset: ArrayBuffer;
}

/** What happens to the engine by itself, apart from any call. */
export type EngineEvent = { kind: 'restarted'; reason: string } | { kind: 'stopped'; reason: string };

interface QuantizeJob {
  input: Jobs['quantize']['input'];
  onProgress: (report: QuantizeReport) => void;
  /** The net it is about. */
  files: EngineFiles | null;
}

const MAX_CRASHES = 3;
const CRASH_WINDOW_MS = 10_000;

/**
 * Typed calls to the engine. A crash is mended here: new worker, same files, the interrupted call runs again. Three crashes
 * within ten seconds end that; `restart` then tries afresh. Nothing throws past this class and every promise settles.
 */
export class EngineClient {
  readonly #onEvent: (event: EngineEvent) => void;
  readonly #mailbox = new Mailbox<QuantizeJob, Quantized>((job) => this.#quantize(job));
  #files: EngineFiles | null = null;
  #link: WorkerLink | null = null;
  #opening: Promise<Outcome<ModelReport>> = Promise.resolve(stopped('it was never started'));
  #crashes: number[] = [];

  constructor(onEvent: (event: EngineEvent) => void) {
    this.#onEvent = onEvent;
  }

  get idle(): boolean {
    return this.#mailbox.idle;
  }

  /** Starts a worker and loads a net; also what a new attempt after `stopped` calls. */
  open(files: EngineFiles): Promise<Outcome<ModelReport>> {
    this.#files = files;
    return this.restart();
  }

  restart(): Promise<Outcome<ModelReport>> {
    this.#crashes = [];
    this.#link?.close();
    this.#opening = this.#connect();
    return this.#opening;
  }

  /** Newest wins: see Mailbox. */
  latest(input: Jobs['quantize']['input'], onProgress: (report: QuantizeReport) => void): Promise<Outcome<Quantized>> {
    return this.#mailbox.put({ input, onProgress, files: this.#files });
  }

  async #connect(): Promise<Outcome<ModelReport>> {
    if (!this.#files) return stopped('no net is loaded');
    const link = new WorkerLink((reason) => this.#mend(reason));
    this.#link = link;
    const [model, dataset] = [this.#files.model.slice(0), this.#files.dataset.slice(0)];
    const answer = await link.ask('load', { module: this.#files.module, model, dataset }, [model, dataset]);
    // Died while loading: #mend has begun anew or given up by now, and how that ends is how this ends.
    return answer.kind === 'crashed' ? this.#opening : answer;
  }

  #mend(reason: string): void {
    const now = performance.now();
    this.#crashes = [...this.#crashes.filter((at) => now - at < CRASH_WINDOW_MS), now];
    if (this.#crashes.length >= MAX_CRASHES) {
      this.#opening = Promise.resolve(stopped(reason));
      this.#onEvent({ kind: 'stopped', reason });
      return;
    }
    const opening = this.#connect();
    this.#opening = opening;
    void opening.then((outcome) => {
      // Said by the last attempt only.
      if (outcome.kind === 'done' && this.#opening === opening) this.#onEvent({ kind: 'restarted', reason });
    });
  }

  async #quantize({ input, onProgress, files }: QuantizeJob): Promise<Outcome<Quantized>> {
    for (;;) {
      const opened = await this.#opening;
      // Meanwhile another net may have been opened: what was wanted of the one before is history.
      if (files !== this.#files) return { kind: 'superseded' };
      if (opened.kind !== 'done') return opened;
      if (!this.#link) return stopped('it was never started');
      const answer = await this.#link.ask('quantize', input, [], onProgress);
      if (answer.kind !== 'crashed') return answer;
      // A newer wish waits: it runs in the new worker, this one is history.
      if (this.#mailbox.hasWaiting) return { kind: 'superseded' };
    }
  }
}

function stopped(reason: string): Outcome<never> {
  return { kind: 'failed', error: { code: 'engine/stopped', message: `The engine is not running (${reason}).` } };
}

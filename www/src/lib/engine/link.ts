import type { EngineError, Job, Jobs, QuantizeReport, Request, Response } from './protocol.ts';

export type Answer<Value> =
  { kind: 'done'; value: Value } | { kind: 'failed'; error: EngineError } | { kind: 'crashed'; reason: string };

interface Pending {
  settle: (answer: Answer<Jobs[Job]['value']>) => void;
  onProgress: (report: QuantizeReport) => void;
}

const HEARTBEAT_MS = 2_000;
const SILENCE_MS = 8_000;

/**
 * The line to one worker: numbers requests, hands out answers, and notices the worker's death however it comes: by its own
 * word, by an uncaught error, or silently. Then every open request ends as `crashed`; the worker is never used again.
 */
export class WorkerLink {
  readonly #worker: Worker;
  /** Of this worker alone, also among other tabs. */
  readonly #lock = `ecqx-engine-${Date.now()}-${Math.random()}`;
  readonly #pending = new Map<number, Pending>();
  readonly #stopWatching = new AbortController();
  readonly #onDeath: (reason: string) => void;
  #nextId = 1;
  #dead: string | null = null;
  #heardAt = performance.now();

  constructor(onDeath: (reason: string) => void) {
    this.#onDeath = onDeath;
    this.#worker = new Worker(new URL('./engine.worker.ts', import.meta.url), { type: 'module', name: this.#lock });
    this.#worker.onmessage = (event: MessageEvent<Response>) => this.#hear(event.data);
    this.#worker.onmessageerror = () => this.#die('a message could not be read');
    this.#worker.onerror = (event) => {
      // Said on the page; the console needs no second copy.
      event.preventDefault();
      this.#die(event.message || 'its script could not be loaded');
    };
  }

  ask<J extends Job>(
    job: J,
    input: Jobs[J]['input'],
    transfer: Transferable[] = [],
    onProgress: (report: QuantizeReport) => void = () => undefined,
  ): Promise<Answer<Jobs[J]['value']>> {
    if (this.#dead !== null) return Promise.resolve({ kind: 'crashed', reason: this.#dead });
    return new Promise((resolve) => {
      const id = this.#nextId++;
      const settle = resolve as Pending['settle'];
      this.#pending.set(id, { settle, onProgress });
      this.#worker.postMessage({ id, job, ...input } as Request, transfer);
    });
  }

  /** Ends the worker without a word. */
  close(): void {
    this.#end('closed');
  }

  #hear(response: Response): void {
    this.#heardAt = performance.now();
    switch (response.kind) {
      case 'alive':
        this.#watch();
        return;
      case 'progress':
        this.#pending.get(response.id)?.onProgress(response.value);
        return;
      case 'crashed':
        this.#die(response.reason);
        return;
      case 'done':
      case 'failed': {
        const pending = this.#pending.get(response.id);
        this.#pending.delete(response.id);
        pending?.settle(response);
      }
    }
  }

  /** Waits for the worker's lock to become free; where there are no locks (plain http), asks for a sign of life. */
  #watch(): void {
    const { signal } = this.#stopWatching;
    if ('locks' in navigator) {
      navigator.locks
        .request(this.#lock, { signal }, () => this.#die('it ended without a word'))
        .catch(() => undefined);
      return;
    }
    const timer = setInterval(() => {
      if (performance.now() - this.#heardAt > SILENCE_MS) this.#die('it no longer answers');
      else void this.ask('ping', {});
    }, HEARTBEAT_MS);
    signal.addEventListener('abort', () => clearInterval(timer));
  }

  #die(reason: string): void {
    if (this.#dead !== null) return;
    this.#end(reason);
    this.#onDeath(reason);
  }

  #end(reason: string): void {
    if (this.#dead !== null) return;
    this.#dead = reason;
    this.#stopWatching.abort();
    this.#worker.terminate();
    for (const { settle } of this.#pending.values()) settle({ kind: 'crashed', reason });
    this.#pending.clear();
  }
}

import type { Outcome } from './protocol.ts';

interface Letter<Input, Value> {
  input: Input;
  resolve: (outcome: Outcome<Value>) => void;
}

/**
 * Newest wins: one job runs, one waits. A newer job takes the place of the waiting one, which ends as `superseded`; the
 * running one is always let finish, so a long drag shows steady progress and not only its end.
 */
export class Mailbox<Input, Value> {
  #running = false;
  #waiting: Letter<Input, Value> | null = null;
  readonly #run: (input: Input) => Promise<Outcome<Value>>;

  /** `run` must settle; a rejection is turned into `failed`, so that the box can never jam. */
  constructor(run: (input: Input) => Promise<Outcome<Value>>) {
    this.#run = run;
  }

  get hasWaiting(): boolean {
    return this.#waiting !== null;
  }

  get idle(): boolean {
    return !this.#running && this.#waiting === null;
  }

  put(input: Input): Promise<Outcome<Value>> {
    return new Promise((resolve) => {
      this.#waiting?.resolve({ kind: 'superseded' });
      this.#waiting = { input, resolve };
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#running || !this.#waiting) return;
    const { input, resolve } = this.#waiting;
    this.#waiting = null;
    this.#running = true;
    try {
      resolve(await this.#run(input));
    } catch (error) {
      resolve({ kind: 'failed', error: { code: 'engine/unexpected', message: String(error) } });
    } finally {
      this.#running = false;
      void this.#pump();
    }
  }
}

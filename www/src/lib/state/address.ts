/** Keeps the address bar in step with the state, without filling the history. */

/** Browsers refuse more than about 100 changes in 30 seconds: a stock of them, refilled steadily, stays below that. */
const STOCK = 30;
const REFILL_MS = 500;

export class Address {
  #wanted: string | null = null;
  #left = STOCK;
  #countedAt = performance.now();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    // A tab that is closed in the middle of a drag still leaves the last state behind.
    addEventListener('pagehide', () => this.#write());
  }

  /** At once while there is stock; in a long drag now and then, and at its end. */
  set(hash: string): void {
    this.#wanted = hash;
    this.#refill();
    if (this.#left >= 1) this.#write();
    else this.#timer ??= setTimeout(() => this.#catchUp(), REFILL_MS);
  }

  #catchUp(): void {
    this.#timer = null;
    if (this.#wanted !== null) this.set(this.#wanted);
  }

  #refill(): void {
    const now = performance.now();
    this.#left = Math.min(STOCK, this.#left + (now - this.#countedAt) / REFILL_MS);
    this.#countedAt = now;
  }

  #write(): void {
    if (this.#wanted === null || this.#wanted === location.hash) return;
    this.#left -= 1;
    try {
      history.replaceState(history.state, '', this.#wanted);
    } catch {
      // Refused all the same: the next change catches up.
    }
  }
}

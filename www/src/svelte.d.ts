/** What Svelte's list of attributes leaves out. */
import type { PointerEventHandler } from 'svelte/elements';

declare module 'svelte/elements' {
  interface DOMAttributes<T extends EventTarget> {
    onpointerrawupdate?: PointerEventHandler<T> | null | undefined;
  }
}

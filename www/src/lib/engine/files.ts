import type { EngineError } from './protocol.ts';

/** A file the page cannot do without. `what` is how the page speaks of it. */
export interface PageFile {
  what: string;
  name: string;
  url: string;
}

export type Loaded<Value> = { ok: true; value: Value } | { ok: false; error: EngineError };

const AGAIN = 'Press “Try again”; if that does not help, reload the page.';

/** Fetches a file. `fresh` goes past the browser's cache: what failed once must not come from there again. */
async function request(file: PageFile, fresh: boolean): Promise<Loaded<Response>> {
  try {
    const value = await fetch(file.url, { cache: fresh ? 'reload' : 'default' });
    if (value.ok) return { ok: true, value };
    return refuse(
      'file/missing',
      `${file.what} (${file.name}) is missing: the server answers ${value.status}. ${AGAIN}`,
    );
  } catch {
    return refuse('file/unreachable', `${file.what} (${file.name}) cannot be reached. Check the connection. ${AGAIN}`);
  }
}

export async function loadBytes(file: PageFile, fresh: boolean): Promise<Loaded<ArrayBuffer>> {
  const response = await request(file, fresh);
  if (!response.ok) return response;
  try {
    return { ok: true, value: await response.value.arrayBuffer() };
  } catch {
    return refuse('file/unreachable', `${file.what} (${file.name}) broke off on its way. ${AGAIN}`);
  }
}

/** Fetches and compiles a wasm module. Compiled once on the page, it can be handed to any number of workers. */
export async function loadModule(file: PageFile, fresh: boolean): Promise<Loaded<WebAssembly.Module>> {
  const unsupported = whyNoWasm();
  if (unsupported) return refuse('wasm/unsupported', unsupported);
  const response = await request(file, fresh);
  if (!response.ok) return response;
  try {
    // Compiling on the way is faster, and kept by the browser for the next visit, but needs the right media type.
    const streams = response.value.headers.get('content-type')?.startsWith('application/wasm') === true;
    const module = streams
      ? WebAssembly.compileStreaming(response.value)
      : WebAssembly.compile(await response.value.arrayBuffer());
    return { ok: true, value: await module };
  } catch {
    return refuse('wasm/damaged', `${file.what} (${file.name}) is damaged and cannot be started. ${AGAIN}`);
  }
}

/** What a damaged file is told as, once the engine has refused it. */
export function damaged(file: PageFile, error: EngineError): EngineError {
  return {
    code: error.code,
    message: `${file.what} (${file.name}) cannot be used: ${sentence(error.message)} ${AGAIN}`,
  };
}

/** A module that holds one simd128 instruction: the smallest that only a browser with simd accepts. */
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

export function whyNoWasm(): string | null {
  if (typeof WebAssembly !== 'object') {
    return 'This browser has WebAssembly switched off or lacks it, and without it nothing can be computed; please use a current browser.';
  }
  if (!WebAssembly.validate(SIMD_PROBE)) {
    return 'This browser lacks the vector instructions (WebAssembly SIMD) that the engine needs; please use a current browser.';
  }
  return null;
}

function refuse(code: string, message: string): { ok: false; error: EngineError } {
  return { ok: false, error: { code, message } };
}

function sentence(text: string): string {
  return /[.!?]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`;
}

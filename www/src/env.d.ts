/** Left behind by the panic hook of either wasm module. */
// A property of the global object is declared with `var` or not at all.
// eslint-disable-next-line no-var
declare var ecqxPanic: string | undefined;

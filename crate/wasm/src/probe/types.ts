/** Computed tensors by the names that a conformance vector's file uses for the expected ones. */
export type Tensors = Record<string, Float32Array>;

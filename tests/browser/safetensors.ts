/** Reads safetensors files: a length, a JSON header, the bytes of all tensors. */

export interface Tensor {
  shape: number[];
  data: Float32Array | Uint8Array | BigInt64Array;
}

export interface TensorFile {
  metadata: Record<string, string>;
  tensors: Map<string, Tensor>;
  /** Where each tensor lies in `payload`: the header without its metadata. */
  layout: Record<string, Entry>;
  payload: Uint8Array;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

type Header = Record<string, Entry> & { __metadata__?: Record<string, string> };

export function readTensors(bytes: Uint8Array): TensorFile {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Header;
  const { __metadata__: metadata = {}, ...layout } = header;
  const payload = bytes.subarray(8 + length);
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(layout)) {
    // A copy, since arrays of wider numbers must start at a multiple of their width.
    const { buffer } = new Uint8Array(payload.subarray(...data_offsets));
    tensors.set(name, { shape, data: values(name, dtype, buffer) });
  }
  return { metadata, tensors, layout, payload };
}

function values(name: string, dtype: string, buffer: ArrayBuffer): Tensor['data'] {
  if (dtype === 'F32') return new Float32Array(buffer);
  if (dtype === 'I64') return new BigInt64Array(buffer);
  if (dtype === 'U8') return new Uint8Array(buffer);
  throw new Error(`tensor ${name} has type ${dtype}, which no test reads`);
}

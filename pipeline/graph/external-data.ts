/** The file of weights beside an .onnx file, written once from front to back. */
export interface ExternalData {
  /** Appends an array, given in pieces, and tells where it lies. */
  append(pieces: Iterable<Float32Array>): Promise<{ offset: number; length: number }>
}

/** Each array is mapped into memory by itself, and a mapping begins at a page. */
const PAGE_BYTES = 4096

export function externalData(write: (bytes: Uint8Array) => Promise<void>): ExternalData {
  let end = 0
  async function put(bytes: Uint8Array): Promise<void> {
    await write(bytes)
    end += bytes.byteLength
  }
  return {
    async append(pieces) {
      const past = end % PAGE_BYTES
      if (past > 0) await put(new Uint8Array(PAGE_BYTES - past))
      const offset = end
      for (const piece of pieces) await put(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength))
      return { offset, length: end - offset }
    },
  }
}

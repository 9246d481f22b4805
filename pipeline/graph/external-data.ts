/** The weights file that belongs to an .onnx file, written from front to back. */
export interface ExternalData {
  /** Appends an array, given in pieces, and returns its place in the file. */
  append(pieces: Iterable<ArrayBufferView>): Promise<{ offset: number; length: number }>
}

/** Each array is mapped into memory separately, and a mapping must begin at a page boundary. */
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

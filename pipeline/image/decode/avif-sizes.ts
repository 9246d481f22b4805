// The boxes that describe an image lie in front of its data, a few hundred bytes of them.
const LOOKED_AT = 64 * 1024
const ISPE = Buffer.from('ispe')

/**
 * The sizes of all pictures in an AVIF: the image, its tiles, its alpha. libvips reads them as signed numbers, and
 * complains on the error stream, a line for each, before it refuses.
 */
export function* avifSizes(bytes: Uint8Array): Generator<{ width: number; height: number }> {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, LOOKED_AT))
  for (let at = start.indexOf(ISPE); at >= 0 && at + 16 <= start.length; at = start.indexOf(ISPE, at + 4)) {
    yield { width: start.readUInt32BE(at + 8), height: start.readUInt32BE(at + 12) }
  }
}

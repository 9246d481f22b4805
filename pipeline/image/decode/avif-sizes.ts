// The boxes that describe an image are a few hundred bytes, before the image data.
const LOOKED_AT = 64 * 1024
const ISPE = Buffer.from('ispe')

/**
 * The sizes of all pictures in an AVIF: image, tiles, alpha. They are checked here, because libvips reads the sizes as
 * signed numbers and prints a line on stderr for each bad one before it refuses the image.
 */
export function* avifSizes(bytes: Uint8Array): Generator<{ width: number; height: number }> {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, LOOKED_AT))
  for (let at = start.indexOf(ISPE); at >= 0 && at + 16 <= start.length; at = start.indexOf(ISPE, at + 4)) {
    yield { width: start.readUInt32BE(at + 8), height: start.readUInt32BE(at + 12) }
  }
}

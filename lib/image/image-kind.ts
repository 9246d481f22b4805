export interface ImageKind {
  readonly extension: 'jpg' | 'png' | 'gif' | 'webp' | 'bmp' | 'tiff' | 'avif'
  readonly type: `image/${string}`
}

// In hexadecimal; a dot is half a byte that does not matter.
const SIGNATURES: readonly (readonly [RegExp, ImageKind])[] = [
  [/^ffd8ff/, { extension: 'jpg', type: 'image/jpeg' }],
  [/^89504e470d0a1a0a/, { extension: 'png', type: 'image/png' }],
  [/^47494638(37|39)61/, { extension: 'gif', type: 'image/gif' }],
  [/^52494646.{8}57454250/, { extension: 'webp', type: 'image/webp' }],
  [/^(49492a00|4d4d002a|49492b0008|4d4d002b0008)/, { extension: 'tiff', type: 'image/tiff' }],
  // Its two letters begin many a text too; the size of its header is a small number of four bytes.
  [/^424d.{26}0{6}/, { extension: 'bmp', type: 'image/bmp' }],
]
const AVIF: ImageKind = { extension: 'avif', type: 'image/avif' }

/** The brands of an ISO file are in its first box, a few dozen bytes long. */
const LOOKED_AT = 512

/**
 * What a file may be called and served as, by its own first bytes: names and headers are the client's to choose, and
 * HTML that was served as HTML would run on this site. Whether it can be read is for the pipeline to say.
 */
export function imageKind(bytes: Uint8Array): ImageKind | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, LOOKED_AT))
  const hex = start.toString('hex')
  const [, kind] = SIGNATURES.find(([signature]) => signature.test(hex)) ?? []
  return kind ?? (isAvif(start) ? AVIF : undefined)
}

/** The box `ftyp` names the major brand, a version, and the compatible brands. */
function isAvif(start: Buffer): boolean {
  if (start.length < 16 || start.toString('latin1', 4, 8) !== 'ftyp') return false
  const box = start.toString('latin1', 0, start.readUInt32BE(0))
  const brands: readonly string[] = `${box.slice(8, 12)}${box.slice(16)}`.match(/.{4}/gs) ?? []
  return brands.includes('avif') || brands.includes('avis')
}

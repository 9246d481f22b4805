export interface ImageKind {
  readonly extension: 'jpg' | 'png' | 'gif' | 'webp' | 'bmp' | 'tiff' | 'avif'
  readonly type: `image/${string}`
}

// In hexadecimal; a dot matches any half byte.
const SIGNATURES: readonly (readonly [RegExp, ImageKind])[] = [
  [/^ffd8ff/, { extension: 'jpg', type: 'image/jpeg' }],
  [/^89504e470d0a1a0a/, { extension: 'png', type: 'image/png' }],
  [/^47494638(37|39)61/, { extension: 'gif', type: 'image/gif' }],
  [/^52494646.{8}57454250/, { extension: 'webp', type: 'image/webp' }],
  [/^(49492a00|4d4d002a|49492b0008|4d4d002b0008)/, { extension: 'tiff', type: 'image/tiff' }],
  // Many texts begin with "BM" too, so the upper three bytes of the header's size must be 0.
  [/^424d.{26}0{6}/, { extension: 'bmp', type: 'image/bmp' }],
]
const AVIF: ImageKind = { extension: 'avif', type: 'image/avif' }

/** The brands of an ISO file are in its first box, a few dozen bytes long. */
const LOOKED_AT = 512

/**
 * The extension and type of an image, from its first bytes alone: clients choose names and headers, and HTML that is
 * served as HTML would run on this site. Whether the image can be decoded is up to the pipeline.
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

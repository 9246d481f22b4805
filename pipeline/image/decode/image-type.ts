import { PipelineError } from '../../errors.ts'

export type ImageType = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff' | 'bmp'

/** The names of the types in messages. */
export const TYPE_NAMES: Readonly<Record<ImageType, string>> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  gif: 'GIF',
  avif: 'AVIF',
  tiff: 'TIFF',
  bmp: 'BMP',
}

// Signatures are hexadecimal; two dots stand for any byte.
const READ: readonly (readonly [ImageType, string])[] = [
  ['jpeg', 'ffd8ff'],
  ['png', '89504e470d0a1a0a'],
  ['webp', '52494646........57454250'],
  ['gif', '474946383761'],
  ['gif', '474946383961'],
  ['tiff', '49492a00'],
  ['tiff', '4d4d002a'],
  ['tiff', '49492b0008'],
  ['tiff', '4d4d002b0008'],
  // A text may begin with "BM" too, so the upper three bytes of the header size must be 0 as well.
  ['bmp', '424d..........................000000'],
]

const NOT_READ: readonly (readonly [string, string])[] = [
  ['a PDF document', '255044462d'],
  ['a ZIP archive', '504b0304'],
  ['gzip-compressed data', '1f8b'],
  ['a JPEG XL image', 'ff0a'],
  ['a JPEG XL image', '0000000c4a584c20'],
  ['a JPEG 2000 image', '0000000c6a502020'],
  ['a JPEG 2000 image', 'ff4fff51'],
  ['a Photoshop document', '38425053'],
  ['an icon', '00000100'],
  ['a PostScript document', '25215053'],
  ['an OpenEXR image', '762f3101'],
  ['a WebAssembly module', '0061736d'],
  ['a video', '1a45dfa3'],
]

const AVIF_BRANDS = new Set(['avif', 'avis'])
const HEIC_BRANDS = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'])
// Enough for the first box of an ISO file, which contains the brands, and for the first line of a document.
const LOOKED_AT = 512

/** The type of an image by its first bytes alone; file name and Content-Type do not count. */
export function imageType(bytes: Uint8Array): ImageType {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, LOOKED_AT))
  const [type] = READ.find(([, signature]) => matches(start, signature)) ?? []
  if (type !== undefined) return type
  const brands = isoBrands(start)
  if (brands.some((brand) => AVIF_BRANDS.has(brand))) return 'avif'
  throw notRead(seemsToBe(start, brands))
}

/** The error for a type that is not supported, or for a form of a supported type that is not. */
export function notRead(what: string, cause?: unknown): PipelineError {
  const names = Object.values(TYPE_NAMES)
  const list = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
  return new PipelineError('ERR_IMAGE_TYPE', `Images must be ${list}; this is ${what}.`, { cause })
}

function seemsToBe(start: Buffer, brands: readonly string[]): string {
  if (start.length === 0) return 'an empty file'
  if (brands.some((brand) => HEIC_BRANDS.has(brand))) return 'a HEIC image'
  if (brands.length > 0) return 'a video'
  const [name] = NOT_READ.find(([, signature]) => matches(start, signature)) ?? []
  return name ?? document(start)
}

function document(start: Buffer): string {
  const text = start.toString('latin1').replace(/^\xef\xbb\xbf/, '')
  if (/<svg[\s>]/i.test(text)) return 'an SVG drawing'
  if (/^\s*<(!doctype html|html|head|body)/i.test(text)) return 'an HTML page'
  if (/^\s*<\?xml/.test(text)) return 'an XML document'
  if (/^P[1-7]\s/.test(text)) return 'a PNM image'
  if (/^\s*[[{]\s*["[{\]}\d]/.test(text)) return 'JSON'
  if (/^[\t\n\r\x20-\x7e]+$/.test(text)) return 'text'
  return 'a file of an unknown type'
}

/** The brands in the box `ftyp`: the major brand, and after the version the compatible brands. */
function isoBrands(start: Buffer): string[] {
  if (start.length < 16 || start.toString('latin1', 4, 8) !== 'ftyp') return []
  const end = Math.min(start.readUInt32BE(0), start.length)
  const brands = [start.toString('latin1', 8, 12)]
  for (let at = 16; at + 4 <= end; at += 4) brands.push(start.toString('latin1', at, at + 4))
  return brands
}

function matches(start: Buffer, signature: string): boolean {
  if (start.length * 2 < signature.length) return false
  const hex = start.toString('hex', 0, signature.length / 2)
  return [...signature].every((digit, i) => digit === '.' || digit === hex[i])
}

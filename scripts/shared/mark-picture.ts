import { crc32 } from 'node:zlib'

const JPEG_START = 0xffd8
const JPEG_COMMENT = 0xfffe
/** APP0 and APP1: JFIF and EXIF have to come first. */
const JPEG_FIRST: readonly number[] = [0xffe0, 0xffe1]
const PNG_START = '89504e470d0a1a0a'
/** The signature, and the header chunk, which has to come first. */
const PNG_HEADER_BYTES = 33

/**
 * A copy with a comment in it, and the same pixels. JPEG and PNG have a place for one; other kinds come back as they
 * are.
 */
export function markPicture(bytes: Buffer, comment: string): Buffer {
  const text = Buffer.from(comment, 'latin1')
  if (canBeMarked(bytes) === 'jpeg') return inserted(bytes, afterFirst(bytes), jpegComment(text))
  if (canBeMarked(bytes) === 'png') return inserted(bytes, PNG_HEADER_BYTES, pngComment(text))
  return bytes
}

export function canBeMarked(bytes: Buffer): 'jpeg' | 'png' | undefined {
  if (bytes.length > 4 && bytes.readUInt16BE(0) === JPEG_START) return 'jpeg'
  if (bytes.length > PNG_HEADER_BYTES && bytes.toString('hex', 0, 8) === PNG_START) return 'png'
  return undefined
}

function inserted(bytes: Buffer, at: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)])
}

function afterFirst(bytes: Buffer): number {
  let at = 2
  while (at + 4 <= bytes.length && JPEG_FIRST.includes(bytes.readUInt16BE(at)))
    at += 2 + bytes.readUInt16BE(at + 2)
  return at
}

function jpegComment(text: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(JPEG_COMMENT, 0)
  head.writeUInt16BE(text.length + 2, 2)
  return Buffer.concat([head, text])
}

function pngComment(text: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from('tEXtComment\0', 'latin1'), text])
  const chunk = Buffer.alloc(body.length + 8)
  chunk.writeUInt32BE(body.length - 4, 0)
  body.copy(chunk, 4)
  chunk.writeUInt32BE(crc32(body), chunk.length - 4)
  return chunk
}

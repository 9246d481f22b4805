import { setImmediate as turn } from 'node:timers/promises'
import { Busboy, type BusboyInstance } from '@fastify/busboy'
import { HttpError } from '../http/errors.ts'

export interface FilePart {
  /** name of the form's field */
  readonly field: string
  /** the file name that the client sent; for display only */
  readonly name: string
  readonly bytes: Buffer
}

export interface FormBody {
  readonly kind: 'form'
  readonly fields: ReadonlyMap<string, string>
  readonly files: readonly FilePart[]
}

/** Real forms have a few parts; each part costs the client nothing and the server an object. */
const MAX_PARTS = 64
const MAX_HEADERS = 16
/** The same limit as for the headers of a whole request; the rest is cut off. */
const MAX_HEADER_BYTES = 16 * 2 ** 10
const MAX_NAME_BYTES = 100
/**
 * Bytes that are parsed per turn of the event loop. The parser makes an object of every boundary, even beyond the limit
 * of parts: a slice full of boundaries takes about 10 ms, and no further slice is parsed after it.
 */
const SLICE_BYTES = 32 * 2 ** 10

/**
 * The parts of a form. A part with a file name is a file, even without a Content-Type: Python's requests sends such
 * parts, and koa-body's parser would read such a picture as text.
 */
export async function parseMultipart(bytes: Buffer, contentType: string): Promise<FormBody> {
  const fields = new Map<string, string>()
  const files: FilePart[] = []
  const parser = open(contentType, bytes.length)
  let isOver = false
  const parsed = new Promise<void>((resolve, reject) => {
    parser.on('file', (field, stream, name) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => files.push({ field, name: name ?? '', bytes: Buffer.concat(chunks) }))
      stream.on('error', reject)
    })
    parser.on('field', (name, value) => {
      if (!fields.has(name)) fields.set(name, value)
    })
    parser.on('partsLimit', () => reject(new Error(`it has more than ${MAX_PARTS} parts`)))
    parser.on('error', reject)
    parser.on('finish', resolve)
  })
  // Without this handler, a failure between two slices would be an unhandled rejection; the await below reports it.
  parsed.catch(() => {
    isOver = true
  })
  for (let at = 0; at < bytes.length && !isOver; at += SLICE_BYTES) {
    if (at > 0) await turn()
    parser.write(bytes.subarray(at, at + SLICE_BYTES))
  }
  if (!isOver) parser.end()
  await parsed.catch((cause: unknown) => {
    throw malformed(cause)
  })
  return { kind: 'form', fields, files }
}

function open(contentType: string, size: number): BusboyInstance {
  const limits = {
    parts: MAX_PARTS,
    headerPairs: MAX_HEADERS,
    headerSize: MAX_HEADER_BYTES,
    fieldNameSize: MAX_NAME_BYTES,
    // The whole body is within the size limit, so no field can exceed it.
    fieldSize: size,
  }
  try {
    return new Busboy({ headers: { 'content-type': contentType }, limits, isPartAFile })
  } catch (cause) {
    throw malformed(cause)
  }
}

function isPartAFile(
  _field: string | undefined,
  type: string | undefined,
  name: string | undefined,
): boolean {
  return name !== undefined || type === 'application/octet-stream' || type?.startsWith('image/') === true
}

function malformed(cause: unknown): HttpError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new HttpError('ERR_BAD_REQUEST', `The multipart body cannot be read: ${why.replace(/\.$/, '')}.`)
}

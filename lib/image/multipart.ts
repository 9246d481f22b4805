import { setImmediate as turn } from 'node:timers/promises'
import { Busboy, type BusboyInstance } from '@fastify/busboy'
import { HttpError } from '../http/errors.ts'

export interface FilePart {
  /** name of the form's field */
  readonly field: string
  /** what the client calls the file; for people's eyes only */
  readonly name: string
  readonly bytes: Buffer
}

export interface FormBody {
  readonly kind: 'form'
  readonly fields: ReadonlyMap<string, string>
  readonly files: readonly FilePart[]
}

/** A form has a handful of parts; each one more costs a stranger nothing and us an object. */
const MAX_PARTS = 64
const MAX_HEADERS = 16
/** As much as the headers of a whole request may have; the rest is cut off. */
const MAX_HEADER_BYTES = 16 * 2 ** 10
const MAX_NAME_BYTES = 100
/**
 * What is read between two turns of the event loop. The parser makes an object of every boundary, also beyond the limit
 * on parts: a slice of nothing else takes it about 10 ms, and is the last one that it gets.
 */
const SLICE_BYTES = 32 * 2 ** 10

/**
 * The parts of a form. A part with a file name is a file, also without a type of its own: Python's requests sends it so,
 * and koa-body's parser would read such a picture as text.
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
  // What fails while slices are still written is reported below, where it is waited for.
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
    // The whole body is within its limit; a part of it cannot be larger.
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

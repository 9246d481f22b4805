import { Readable } from 'node:stream'
import type { Context } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'
import type { ReadBody } from './body-reader.ts'
import { imageKind } from './image-kind.ts'
import { type FormBody, parseMultipart } from './multipart.ts'

export interface JsonBody {
  readonly kind: 'json'
  readonly value: unknown
}

export interface RawBody {
  readonly kind: 'raw'
  readonly bytes: Buffer
}

export type RequestBody = FormBody | JsonBody | RawBody

/** How a body is read: by its Content-Type; as a file only; as raw bytes unless it is a form; always as JSON. */
export type Taking = 'as-declared' | 'file' | 'raw-unless-form' | 'json'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
/**
 * Megabytes of the characters in MARKS would block the event loop for seconds in the parsers; long texts do not. The
 * limit allows a thousand addresses with twenty commas each.
 */
const MAX_MARKS = 20_000
const MARKS = {
  [JSON_TYPE]: { bytes: ['[', '{', ','], names: 'brackets, braces and commas' },
  [FORM]: { bytes: ['+', '[', ']', '%5B', '%5b', '%5D', '%5d'], names: 'plus signs and square brackets' },
} as const

/** The body in memory, within the limits of the reader. Nothing is written to disk. */
export async function requestBody(ctx: Context, readBody: ReadBody, taking: Taking): Promise<RequestBody> {
  const encoding = ctx.get('Content-Encoding').toLowerCase()
  if (encoding !== '' && encoding !== 'identity') {
    throw new HttpError(
      'ERR_UNSUPPORTED_MEDIA',
      `A body must have no Content-Encoding, but this one has "${encoding}".`,
      {
        'Accept-Encoding': 'identity',
      },
    )
  }
  const bytes = await readBody(ctx)
  const type = ctx.request.type.toLowerCase()
  if (taking === 'json') return { kind: 'json', value: await parseText(ctx, bytes, JSON_TYPE) }
  // The first bytes decide: curl declares every body as a form by default, and users often declare a wrong type.
  if (imageKind(bytes) !== undefined) return { kind: 'raw', bytes }
  if (type === 'multipart/form-data') return parseMultipart(bytes, ctx.get('Content-Type'))
  if (type.startsWith('multipart/')) {
    throw new HttpError(
      'ERR_UNSUPPORTED_MEDIA',
      `A body with parts must be multipart/form-data, but this one is ${type}.`,
    )
  }
  const isJson = type === JSON_TYPE || type.endsWith('+json')
  if (taking === 'file' && (type === FORM || isJson)) return { kind: 'form', fields: new Map(), files: [] }
  if (type === FORM) return { kind: 'form', fields: await parseForm(ctx, bytes), files: [] }
  if (taking === 'as-declared' && isJson && bytes.length > 0) {
    return { kind: 'json', value: await parseText(ctx, bytes, JSON_TYPE) }
  }
  return { kind: 'raw', bytes }
}

async function parseForm(ctx: Context, bytes: Buffer): Promise<Map<string, string>> {
  const parsed = await parseText(ctx, bytes, FORM)
  const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : []
  return new Map(entries.map(([name, value]) => [name, firstText(value)]))
}

/** The first value of a repeated field counts, as in a multipart form. The parser makes an object of many values. */
function firstText(value: unknown): string {
  return String(typeof value === 'object' && value !== null ? Object.values(value)[0] : value)
}

/** Gives koa-body a request whose body is already in memory, so that our limits of size and time apply. */
async function parseText(ctx: Context, bytes: Buffer, type: keyof typeof MARKS): Promise<unknown> {
  mustHaveFewMarks(bytes, type)
  const headers = { 'content-type': type, 'content-length': String(bytes.length) }
  const req = {
    value: Object.assign(Readable.from([bytes], { objectMode: false }), { headers, method: 'POST' }),
  }
  const request = { value: Object.create(ctx.request, { req, body: { value: undefined, writable: true } }) }
  const replayed: Context = Object.create(ctx, { req, request })
  // Imported late, because koa-body would take a tenth of the start-up time; see preload.ts.
  const { koaBody } = await import('koa-body')
  const limit = bytes.length
  const parse = koaBody({
    multipart: false,
    jsonLimit: limit,
    formLimit: limit,
    queryString: { depth: 0, allowDots: false, parameterLimit: 64 },
  })
  try {
    await parse(replayed, async () => {})
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new HttpError('ERR_BAD_REQUEST', `The body cannot be read as ${type}: ${why}.`)
  }
  return replayed.request.body
}

function mustHaveFewMarks(bytes: Buffer, type: keyof typeof MARKS): void {
  let marks = 0
  for (const mark of MARKS[type].bytes) {
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
      if (++marks > MAX_MARKS) throw tooManyMarks(type)
    }
  }
}

function tooManyMarks(type: keyof typeof MARKS): HttpError {
  return new HttpError(
    'ERR_BAD_REQUEST',
    `A body of ${type} must have at most ${MAX_MARKS} ${MARKS[type].names} together.`,
  )
}

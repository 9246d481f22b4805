import type { SafeFetch } from '../fetch/safe-fetch.ts'
import type { Context } from '../http/context.ts'
import { HttpError } from '../http/errors.ts'
import { queryOf } from '../http/query.ts'
import type { ReadBody } from './body-reader.ts'
import { dataUriBytes } from './data-uri.ts'
import type { FilePart } from './multipart.ts'
import { type RequestBody, requestBody, type Taking } from './request-body.ts'

/** Where a route looks for its image. */
export interface ImagePlaces {
  /** names of the form's fields that may hold the file */
  readonly files: readonly string[]
  /** whether an address is accepted: in a form, in the query, or in JSON */
  readonly url: boolean
  /** the message of the error if there is no image */
  readonly missing: string
  /** 'raw' passes JSON to the user's own pipeline as bytes */
  readonly json?: 'raw'
}

export interface SentImage {
  readonly bytes: Buffer
  /** the address of the image; empty if the request contained the image itself */
  readonly url: string
}

export interface RequestImages {
  body(ctx: Context, taking?: Taking): Promise<RequestBody>
  /** The image of a request. `onDownload` is called before a download. */
  one(ctx: Context, places: ImagePlaces, onDownload?: (url: string) => void): Promise<SentImage>
  fetch(url: string, signal: AbortSignal): Promise<Buffer>
}

/** The bytes of an image out of a request: file part, raw body, address, data URI. */
export function createRequestImages(
  readBody: ReadBody,
  safeFetch: SafeFetch,
  maxBytes: number,
): RequestImages {
  const fetch: RequestImages['fetch'] = (url, signal) => {
    const address = url.trim()
    if (/^data:/i.test(address)) return Promise.resolve(dataUriBytes(address, maxBytes))
    return safeFetch(address, signal)
  }
  return {
    fetch,
    body: (ctx, taking) => requestBody(ctx, readBody, taking ?? 'as-declared'),
    async one(ctx, places, onDownload) {
      const body = await requestBody(ctx, readBody, takingFor(places))
      const sent = bytesIn(body, places)
      if (sent !== undefined && sent.length > 0) return { bytes: sent, url: '' }
      const url = places.url ? urlIn(body, ctx) : ''
      if (url === '') throw new HttpError('ERR_INPUT_MISSING', places.missing)
      onDownload?.(url)
      return { bytes: await fetch(url, ctx.state.gone), url }
    },
  }
}

function takingFor({ url, json }: ImagePlaces): Taking {
  if (json === 'raw') return 'raw-unless-form'
  return url ? 'as-declared' : 'file'
}

/** The one file in these fields. A browser sends an empty file if the user chose none. */
export function fileIn(body: RequestBody, names: readonly string[]): FilePart | undefined {
  if (body.kind !== 'form') return undefined
  const files = body.files.filter(({ field }) => names.includes(field))
  const chosen = files.filter(({ bytes }) => bytes.length > 0)
  // With an answer for one of the files, the client could not tell for which.
  if (chosen.length > 1) throw tooManyFiles(chosen)
  return chosen[0] ?? files[0]
}

function tooManyFiles(files: readonly FilePart[]): HttpError {
  const fields = files.map(({ field }) => `"${field}"`).join(', ')
  return new HttpError(
    'ERR_INPUT_AMBIGUOUS',
    `One image is expected, but the form has ${files.length}: ${fields}.`,
  )
}

function bytesIn(body: RequestBody, { files }: ImagePlaces): Buffer | undefined {
  return body.kind === 'raw' ? body.bytes : fileIn(body, files)?.bytes
}

function urlIn(body: RequestBody, ctx: Context): string {
  return textField(body, 'url').trim() || first(queryOf(ctx).url)
}

/** A text field of a form or of a JSON object. */
function textField(body: RequestBody, name: string): string {
  if (body.kind === 'form') return body.fields.get(name) ?? ''
  if (body.kind !== 'json' || typeof body.value !== 'object' || body.value === null) return ''
  const value: unknown = Object.hasOwn(body.value, name) ? Reflect.get(body.value, name) : undefined
  return typeof value === 'string' ? value : ''
}

function first(value: string | string[] | undefined): string {
  return ((Array.isArray(value) ? value[0] : value) ?? '').trim()
}

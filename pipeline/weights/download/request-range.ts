import { DownloadError, shownUrl } from './download-error.ts'

/** What a server sends of a file. */
export interface RangeAnswer {
  /** The offset that it begins at: the wanted one, or 0 when the server sends all of it. */
  readonly from: number
  /** The size of the whole file, where the server tells. */
  readonly total: number | undefined
  /** What identifies this version of the file: a strong ETag, or the time of its last change. */
  readonly validator: string | undefined
  readonly body: AsyncIterable<Uint8Array>
}

export interface RangeRequest {
  readonly from: number
  /** Sent with the offset: a server whose file has changed since then sends all of it. */
  readonly validator?: string | undefined
  readonly allowHttp?: boolean
  readonly signal: AbortSignal
}

// A mirror sends to a storage host, which may send to another one nearby; more is a loop.
const MAX_REDIRECTS = 5
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** The bytes of a file from an offset on; undefined when the file ends before it. */
export async function requestRange(address: string, request: RangeRequest): Promise<RangeAnswer | undefined> {
  const response = await followRedirects(new URL(address), request)
  try {
    return readAnswer(response, request.from)
  } catch (error) {
    // A body that nobody reads would keep its connection.
    await response.body?.cancel().catch(() => {})
    throw error
  }
}

/** By hand, since fetch would follow from https to http, where anybody on the way can change the file. */
async function followRedirects(first: URL, request: RangeRequest): Promise<Response> {
  let url = first
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    checkScheme(url, request.allowHttp === true && first.protocol === 'http:')
    const { username, password, origin } = first
    const authorization = username !== '' && url.origin === origin ? basic(username, password) : undefined
    const response = await fetch(bare(url).href, {
      redirect: 'manual',
      headers: headersFor(request, authorization),
      signal: request.signal,
    })
    const location = response.headers.get('location')
    if (!REDIRECTS.has(response.status) || location === null) return response
    await response.body?.cancel()
    if (!URL.canParse(location, url.href)) throw refused(`it redirects to "${location.slice(0, 100)}"`)
    url = new URL(location, url)
  }
  throw refused(`it redirects more than ${MAX_REDIRECTS} times`)
}

function checkScheme(url: URL, httpToo: boolean): void {
  if (url.protocol === 'https:' || (httpToo && url.protocol === 'http:')) return
  throw refused(`${shownUrl(url)} is not https, which only a mirror named by WEIGHTS_URL may be`)
}

function headersFor({ from, validator }: RangeRequest, authorization: string | undefined) {
  return {
    // Offsets count the bytes of the file itself, so it must not be compressed on the way.
    'accept-encoding': 'identity',
    ...(authorization === undefined ? {} : { authorization }),
    ...(from > 0 ? { range: `bytes=${from}-` } : {}),
    ...(from > 0 && validator !== undefined ? { 'if-range': validator } : {}),
  }
}

function readAnswer(response: Response, from: number): RangeAnswer | undefined {
  const { status, headers } = response
  if (status === 416 && from > 0) {
    void response.body?.cancel().catch(() => {})
    return undefined
  }
  if (status !== 200 && status !== 206)
    throw refused(`it answered ${status} ${response.statusText}`.trimEnd())
  if (/^text\/html\b/i.test(headers.get('content-type') ?? '')) {
    throw refused('it answered with a web page; a network that wants a login does that')
  }
  const coding = headers.get('content-encoding') ?? 'identity'
  if (coding !== 'identity') throw refused(`it answered with the content encoding "${coding}"`)
  if (response.body === null) throw refused('it answered without a body')
  const common = { validator: validatorOf(headers), body: response.body as AsyncIterable<Uint8Array> }
  if (status === 200) return { ...common, from: 0, total: wholeNumber(headers.get('content-length')) }
  const range = headers.get('content-range') ?? ''
  const [, start, , total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range) ?? []
  if (Number(start) !== from) throw refused(`it was asked for bytes from ${from} on, but sends "${range}"`)
  return { ...common, from, total: wholeNumber(total) }
}

/** A weak ETag promises the same meaning, not the same bytes. */
function validatorOf(headers: Headers): string | undefined {
  const tag = headers.get('etag')
  if (tag?.startsWith('"')) return tag
  return headers.get('last-modified') ?? undefined
}

function wholeNumber(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** fetch refuses an address with a password in it. */
function bare(url: URL): URL {
  const copy = new URL(url)
  copy.username = ''
  copy.password = ''
  return copy
}

function basic(username: string, password: string): string {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function refused(why: string): DownloadError {
  return new DownloadError('answer', why)
}

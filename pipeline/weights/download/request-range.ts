import { DownloadError, shownUrl } from './download-error.ts'

/** The server's answer: a file, or its end. */
export interface RangeAnswer {
  /** The offset of the first byte: the wanted one, or 0 when the server sends the whole file. */
  readonly from: number
  /** The size of the whole file, if the server sends it. */
  readonly total: number | undefined
  /** Identifies this version of the file: a strong ETag, or the time of the last change. */
  readonly validator: string | undefined
  readonly body: AsyncIterable<Uint8Array>
}

export interface RangeRequest {
  readonly from: number
  /** Sent with the offset: if the file has changed since, the server sends the whole file. */
  readonly validator?: string | undefined
  readonly allowHttp?: boolean
  readonly signal: AbortSignal
}

// A mirror redirects to a storage host, which may redirect to one nearby; more redirects are a loop.
const MAX_REDIRECTS = 5
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** The bytes of a file from an offset on; undefined when the file ends before the offset. */
export async function requestRange(address: string, request: RangeRequest): Promise<RangeAnswer | undefined> {
  const response = await followRedirects(new URL(address), request)
  try {
    return readAnswer(response, request.from)
  } catch (error) {
    // An unread body would keep the connection open.
    await response.body?.cancel().catch(() => {})
    throw error
  }
}

/** Not left to fetch, which would follow a redirect from https to http, where a third party can change the file. */
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
    if (!URL.canParse(location, url.href))
      throw refused(`the server redirects to "${location.slice(0, 100)}"`)
    url = new URL(location, url)
  }
  throw refused(`the server redirects more than ${MAX_REDIRECTS} times`)
}

function checkScheme(url: URL, httpToo: boolean): void {
  if (url.protocol === 'https:' || (httpToo && url.protocol === 'http:')) return
  throw refused(`${shownUrl(url)} is not https, which only a mirror named by WEIGHTS_URL may be`)
}

function headersFor({ from, validator }: RangeRequest, authorization: string | undefined) {
  return {
    // Offsets count the bytes of the file itself, so the body must not be compressed.
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
    throw refused(`the server answered ${status} ${response.statusText}`.trimEnd())
  if (/^text\/html\b/i.test(headers.get('content-type') ?? '')) {
    throw refused('the server answered with a web page; a network that needs a login does that')
  }
  const coding = headers.get('content-encoding') ?? 'identity'
  if (coding !== 'identity') throw refused(`the server answered with the content encoding "${coding}"`)
  if (response.body === null) throw refused('the server answered without a body')
  const common = { validator: validatorOf(headers), body: response.body as AsyncIterable<Uint8Array> }
  if (status === 200) return { ...common, from: 0, total: wholeNumber(headers.get('content-length')) }
  const range = headers.get('content-range') ?? ''
  const [, start, , total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range) ?? []
  if (Number(start) !== from)
    throw refused(`the server was asked for bytes from ${from} on, but sends "${range}"`)
  return { ...common, from, total: wholeNumber(total) }
}

/** Weak ETags are not used: they promise the same meaning, not the same bytes. */
function validatorOf(headers: Headers): string | undefined {
  const tag = headers.get('etag')
  if (tag?.startsWith('"')) return tag
  return headers.get('last-modified') ?? undefined
}

function wholeNumber(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Without user and password, since fetch refuses a URL that has them. */
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

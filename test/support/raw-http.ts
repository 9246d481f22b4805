import { connect } from 'node:net'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'

export interface RawAnswer {
  readonly status: number
  /** names in lower case; repeated headers are joined with commas */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  readonly text: string
  json(): unknown
}

const END_OF_HEAD = '\r\n\r\n'
const WAIT_MS = 15_000

/**
 * The bytes of a request: the first line, such as `POST /vgg`, and the headers as whole lines. Only Host and
 * Content-Length are added.
 */
export function ask(
  url: string,
  line: string,
  headers: readonly string[] = [],
  body?: Buffer | string,
): Promise<RawAnswer> {
  const [method = 'GET'] = line.split(' ')
  return exchange(url, requestBytes(url, line, headers, body), method === 'HEAD')
}

export function requestBytes(
  url: string,
  line: string,
  headers: readonly string[] = [],
  body?: Buffer | string,
): Buffer {
  const bytes = Buffer.from(body ?? '')
  const length = body === undefined ? [] : [`Content-Length: ${bytes.length}`]
  const lines = [`${line} HTTP/1.1`, `Host: ${new URL(url).host}`, ...headers, ...length, '', '']
  return Buffer.concat([Buffer.from(lines.join('\r\n')), bytes])
}

/** Sends bytes and reads one answer, which ends by its length or its last chunk, since the connection stays open. */
export function exchange(url: string, bytes: Buffer, isHead = false): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    const timer = setTimeout(
      () => finish(() => reject(new Error(`no whole answer within ${WAIT_MS} ms`))),
      WAIT_MS,
    )
    let received = Buffer.alloc(0)
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      socket.destroy()
      settle()
    }
    const look = (isOver: boolean) => {
      const answer = readAnswer(received, isHead, isOver)
      if (answer) finish(() => resolve(answer))
      else if (isOver)
        finish(() => reject(new Error(`the connection ended after "${received.toString('latin1')}"`)))
    }
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      look(false)
    })
    socket.once('end', () => look(true)).once('error', (error) => finish(() => reject(error)))
    socket.write(bytes)
  })
}

/** The answer in these bytes; undefined until it is complete. */
export function readAnswer(bytes: Buffer, isHead: boolean, isOver: boolean): RawAnswer | undefined {
  const end = bytes.indexOf(END_OF_HEAD)
  if (end < 0) return undefined
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const [, digits] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine) ?? []
  if (digits === undefined) throw new Error(`"${statusLine}" is no status line`)
  const status = Number(digits)
  const rest = bytes.subarray(end + END_OF_HEAD.length)
  if (status < 200) return readAnswer(rest, isHead, isOver)
  const headers = readHeaders(lines)
  const body = isHead || status === 204 || status === 304 ? Buffer.alloc(0) : readBody(rest, headers, isOver)
  if (body === undefined) return undefined
  const text = decoded(body, headers.get('content-encoding')).toString()
  return { status, headers, body, text, json: () => JSON.parse(text) }
}

function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:\s]+): *(.*)$/.exec(line) ?? []
    if (name === '') throw new Error(`"${line}" is no header`)
    const earlier = headers.get(name.toLowerCase())
    headers.set(name.toLowerCase(), earlier === undefined ? value : `${earlier}, ${value}`)
  }
  return headers
}

function readBody(bytes: Buffer, headers: ReadonlyMap<string, string>, isOver: boolean): Buffer | undefined {
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(bytes)
  const length = headers.get('content-length')
  if (length === undefined) return isOver ? bytes : undefined
  return bytes.length >= Number(length) ? bytes.subarray(0, Number(length)) : undefined
}

function readChunks(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16)
    at = end + 2
    if (bytes.length < at + size + 2) return undefined
    if (size === 0) return Buffer.concat(chunks)
    chunks.push(bytes.subarray(at, at + size))
    at += size + 2
  }
}

/** The body after decompression, for a client that accepts it. */
function decoded(body: Buffer, coding: string | undefined): Buffer {
  if (coding === 'br') return brotliDecompressSync(body)
  return coding === 'gzip' ? gunzipSync(body) : body
}

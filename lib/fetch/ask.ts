import type { Socket } from 'node:net'
import type { Client, Dispatcher } from 'undici'
import { VERSION } from '../config/version.ts'
import { Body, type HeldBytes } from './body.ts'
import { badStatus, tooSlow } from './failures.ts'
import { stoppable } from './stoppable.ts'

const HEADERS_TIMEOUT_MS = 5000
const MAX_HEADER_BYTES = 16 * 2 ** 10
/**
 * The bytes that a server may send besides the body: headers, 1xx answers, chunk framing. A server that sends more only
 * wants to keep us busy: with a flood of 1xx answers, with chunk extensions, or with one byte per chunk.
 */
const MAX_BESIDES_BYTES = 64 * 2 ** 10
const MAX_BESIDES_SHARE = 1 / 8
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

export interface AnswerLimits {
  readonly maxBodyBytes: number
  readonly memory: HeldBytes
}

export type Fetched = { readonly body: Buffer } | { readonly location: string }

type Headers = Record<string, string | string[] | undefined>

interface Settle {
  /** called when the headers are complete */
  begun(): void
  resolve(answer: Fetched): void
  reject(reason: unknown): void
}

/** One GET over a connection that is used for nothing else; the caller closes it. */
export async function ask(
  url: URL,
  socket: Socket,
  limits: AnswerLimits,
  signal: AbortSignal,
): Promise<Fetched> {
  const { Client } = await loadUndici()
  const client = new Client(url.origin, {
    connect: onceThis(socket),
    pipelining: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    // undici restarts both timers at every byte, so a slow drip never ends. Our own timers run through.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  return stoppable(signal, (resolve, reject) => {
    const timer = setTimeout(() => reject(tooSlow('answer', HEADERS_TIMEOUT_MS)), HEADERS_TIMEOUT_MS)
    const reader = new AnswerReader(socket, limits, { begun: () => clearTimeout(timer), resolve, reject })
    client.dispatch({ path: url.pathname + url.search, method: 'GET', headers: requestHeaders() }, reader)
    return () => {
      clearTimeout(timer)
      reader.release()
    }
  })
}

/** Hands out the checked socket once. undici would reconnect by itself when it is lost, and bypass the address check. */
function onceThis(socket: Socket): NonNullable<Client.Options['connect']> {
  let given = false
  return (_options, callback) => {
    const first = !given
    given = true
    queueMicrotask(() => {
      if (first) callback(null, socket)
      else callback(new Error('closed before the request was sent'), null)
    })
  }
}

/** Reads one answer. undici passes an exception thrown here to `onResponseError` and closes the connection. */
class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #socket: Socket
  readonly #limits: AnswerLimits
  readonly #settle: Settle
  #body: Body | undefined

  constructor(socket: Socket, limits: AnswerLimits, settle: Settle) {
    this.#socket = socket
    this.#limits = limits
    this.#settle = settle
  }

  onRequestStart(): void {
    // undici's own listener was added first, so it has parsed all received bytes when this one runs.
    this.#socket.on('readable', () => this.#countBesides())
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200) return
    this.#settle.begun()
    const { location } = headers
    if (REDIRECTS.includes(status) && typeof location === 'string') {
      this.#settle.resolve({ location })
      return
    }
    if (status !== 200) throw badStatus(status)
    const encoding = String(headers['content-encoding'] ?? 'identity')
    // The request asks for no encoding. Nothing is inflated here, so a small body cannot become a large one.
    if (encoding.toLowerCase() !== 'identity') throw new Error(`the body is encoded: ${encoding}`)
    const length = headers['content-length']
    const declared = length === undefined ? undefined : Number(length)
    this.#body = new Body(this.#limits.maxBodyBytes, this.#limits.memory, declared)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.append(chunk)
  }

  onResponseEnd(): void {
    const body = this.#body
    // A body without Content-Length ends with the connection; a reset connection means that the body is incomplete.
    const failure = this.#socket.errored ?? (body?.length ? undefined : new Error('the body is empty'))
    if (failure) this.#settle.reject(failure)
    else if (body) this.#settle.resolve({ body: body.take() })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settle.reject(error)
  }

  release(): void {
    this.#body?.release()
    this.#body = undefined
  }

  #countBesides(): void {
    const received = this.#body?.length ?? 0
    const besides = this.#socket.bytesRead - this.#socket.readableLength - received
    if (besides <= MAX_BESIDES_BYTES + received * MAX_BESIDES_SHARE) return
    this.#settle.reject(new Error(`${besides} bytes came besides the ${received} bytes of the body`))
  }
}

function requestHeaders(): Record<string, string> {
  return { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': `Tandem/${VERSION}` }
}

let undici: Promise<typeof import('undici')> | undefined

/** Loading undici takes 50 ms, too long for the start (see preload.ts); each repeated import() would take 1 ms. */
function loadUndici(): Promise<typeof import('undici')> {
  undici ??= import('undici')
  return undici
}

import type { Socket } from 'node:net'
import type { Client, Dispatcher } from 'undici'
import { VERSION } from '../config/version.ts'
import { Body, type HeldBytes } from './body.ts'
import { badStatus, tooSlow } from './failures.ts'
import { stoppable } from './stoppable.ts'

const HEADERS_TIMEOUT_MS = 5000
const MAX_HEADER_BYTES = 16 * 2 ** 10
/**
 * What may come besides the body: headers, those of 1xx answers and what frames chunks. A server that sends more of
 * it is only out to keep us busy: with floods of 1xx, of extensions of chunks, or with a byte per chunk.
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
  /** the headers are complete */
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
    // Both are begun anew by each byte that drips in; the timers here are not.
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

/** undici connects anew when a connection is lost before the request is sent; that must not happen behind our checks. */
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

/** Takes in what undici reads; what is thrown here, undici hands to `onResponseError` and ends the connection. */
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
    // Behind undici's own listener, which has parsed all that has come when this one is called.
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
    // None was asked for. Nothing is ever inflated here, so no small body can become a large one.
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
    // A body without a length ends with its connection; one that was reset has ended too early.
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
    this.#settle.reject(new Error(`${besides} bytes came besides ${received} of the body`))
  }
}

function requestHeaders(): Record<string, string> {
  return { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': `Tandem/${VERSION}` }
}

let undici: Promise<typeof import('undici')> | undefined

/** It takes 50 ms to load, for which no start should wait (see preload.ts), and 1 ms to be looked up again. */
function loadUndici(): Promise<typeof import('undici')> {
  undici ??= import('undici')
  return undici
}

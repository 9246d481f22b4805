import type { Guess, Timing } from '../lib/models/guess.ts'
import type { OtherOutputs } from '../lib/models/other-outputs.ts'
import type { ServedModel } from '../lib/routes/model-list.ts'

/* The client of the HTTP API, for browsers and Node: `fetch` alone, and no import that exists at run time. */

export type { Guess, OtherOutputs, ServedModel, Timing }

export interface ClientOptions {
  /** where Tandem listens, such as http://127.0.0.1:2017 */
  readonly url: string
  /** the key, if the service has API_KEYS */
  readonly key?: string
  /** how often a request is sent again that the service was too busy for; 0 for never */
  readonly retries?: number
  /** the longest wait before a request is sent again; a service that asks for a longer one gets no other request */
  readonly maxWaitMs?: number
  readonly fetch?: typeof fetch
}

/** The bytes of a picture, or the address of one that the service downloads. */
export type ClientPicture = Uint8Array | ArrayBuffer | Blob | URL | string

export interface ClientCall {
  /** number of guesses */
  readonly top?: number
  readonly signal?: AbortSignal
}

export interface ModelAnswer {
  readonly model: string
  /** missing if a pipeline of your own answers with something else */
  readonly predictions?: readonly Guess[]
  readonly prediction?: unknown
  /** of a model with several outputs: those that are not served, by their names */
  readonly outputs?: OtherOutputs
  readonly timing: Timing
}

/** The steps of one call: downloading, queued at a position, predicting, and at last done. */
export type CallState =
  | { readonly state: 'downloading' | 'predicting' }
  | { readonly state: 'queued'; readonly position: number }
  | ({ readonly state: 'done'; readonly id: string } & ModelAnswer)

/** An answer that is an error. `code` is one of docs/errors.md, or ERR_NETWORK if there was no answer. */
export class TandemError extends Error {
  override readonly name = 'TandemError'
  readonly code: string
  readonly status: number
  readonly requestId: string | undefined
  /** seconds after which the service has asked for another request */
  readonly retryAfter: number | undefined

  constructor(code: string, message: string, about: Partial<Omit<TandemError, 'code' | 'message'>> = {}) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause })
    this.code = code
    this.status = about.status ?? 0
    this.requestId = about.requestId
    this.retryAfter = about.retryAfter
  }
}

const FIRST_WAIT_MS = 200

export class TandemClient {
  readonly #options: Required<Omit<ClientOptions, 'key'>>
  readonly #headers: Readonly<Record<string, string>>

  constructor({ url, key, retries = 3, maxWaitMs = 30_000, fetch = globalThis.fetch }: ClientOptions) {
    // A browser's fetch must be called as a function of the window.
    this.#options = { url: url.replace(/\/+$/, ''), retries, maxWaitMs, fetch: (...args) => fetch(...args) }
    this.#headers = key === undefined ? {} : { Authorization: `Bearer ${key}` }
  }

  async classify(model: string, picture: ClientPicture, call: ClientCall = {}): Promise<ModelAnswer> {
    const answer = await this.#post(model, picture, call, 'application/json')
    return (await answer.json()) as ModelAnswer
  }

  /** The states of one call as they come; the last one is the answer. Throws a TandemError if the call fails. */
  async *states(model: string, picture: ClientPicture, call: ClientCall = {}): AsyncGenerator<CallState> {
    const answer = await this.#post(model, picture, call, 'application/x-ndjson')
    for await (const line of linesOf(answer)) {
      const state = JSON.parse(line) as CallState | ({ state: 'failed' } & Failure)
      if (state.state === 'failed') throw failure(state.status, state, state.retryAfter)
      yield state
    }
  }

  async models(signal?: AbortSignal): Promise<readonly ServedModel[]> {
    const answer = await this.#send('/models', { headers: { Accept: 'application/json' } }, signal)
    return ((await answer.json()) as { models: readonly ServedModel[] }).models
  }

  #post(
    model: string,
    picture: ClientPicture,
    { top, signal }: ClientCall,
    accept: string,
  ): Promise<Response> {
    const isAddress = typeof picture === 'string' || picture instanceof URL
    const body = isAddress
      ? new URLSearchParams({ url: String(picture) })
      : (picture as NonNullable<RequestInit['body']>)
    // Without a type of its own, Blob would bring one that the service might take for a form.
    const type = isAddress ? {} : { 'Content-Type': 'application/octet-stream' }
    const path = `/${encodeURIComponent(model)}${top === undefined ? '' : `?top=${top}`}`
    return this.#send(path, { method: 'POST', headers: { Accept: accept, ...type }, body }, signal)
  }

  /** A request is sent again after 429 and 503 with Retry-After, and after a connection that was lost. */
  async #send(
    path: string,
    init: RequestInit & { headers: object },
    signal?: AbortSignal,
  ): Promise<Response> {
    const { url, retries, maxWaitMs, fetch } = this.#options
    const request = { ...init, headers: { ...init.headers, ...this.#headers }, signal: signal ?? null }
    for (let sent = 1; ; sent++) {
      const answer = await fetch(url + path, request).catch((cause: unknown) => {
        signal?.throwIfAborted()
        return new TandemError('ERR_NETWORK', `${url} does not answer.`, { cause })
      })
      if (!(answer instanceof TandemError) && answer.ok) return answer
      const error = answer instanceof TandemError ? answer : await failureIn(answer)
      const isTransient =
        error.status === 0 || (error.retryAfter !== undefined && [429, 503].includes(error.status))
      const wait = error.retryAfter === undefined ? FIRST_WAIT_MS * 2 ** (sent - 1) : error.retryAfter * 1000
      if (!isTransient || sent > retries || wait > maxWaitMs) throw error
      await pause(wait, signal)
    }
  }
}

interface Failure {
  readonly status: number
  readonly retryAfter?: number
  readonly error: { readonly code: string; readonly message: string; readonly requestId: string }
}

async function failureIn(answer: Response): Promise<TandemError> {
  const seconds = Number(answer.headers.get('Retry-After') ?? Number.NaN)
  const body: unknown = await answer.json().catch(() => undefined)
  return failure(
    answer.status,
    body as Partial<Failure> | undefined,
    Number.isNaN(seconds) ? undefined : seconds,
  )
}

function failure(
  status: number,
  body: Partial<Failure> | undefined,
  retryAfter: number | undefined,
): TandemError {
  // A proxy in front of the service answers in a way of its own.
  const { code = 'ERR_ANSWER', message = `The answer has status ${status}.`, requestId } = body?.error ?? {}
  return new TandemError(code, message, { status, requestId, retryAfter })
}

async function* linesOf(answer: Response): AsyncGenerator<string> {
  const reader = (answer.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } finally {
    // The caller has left the loop: the service takes the call out of its queue.
    await reader.cancel().catch(() => undefined)
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
    function end() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      if (signal?.aborted) reject(signal.reason)
      else resolve()
    }
    if (signal?.aborted) end()
  })
}

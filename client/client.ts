/* The client of the HTTP API, for browsers and Node: `fetch` alone, and no import that exists at run time. */

import type { CallState, FailedState, FeatureAnswer, GuessAnswer } from '../lib/models/model-answer.ts'
import type { ServedModel } from '../lib/models/served-model.ts'

export type { Guess, Timing } from '../lib/models/guess.ts'
export type { CallState, FeatureAnswer, GuessAnswer } from '../lib/models/model-answer.ts'
export type { ServedModel } from '../lib/models/served-model.ts'

export interface ClientOptions {
  /** where Tandem answers, such as http://127.0.0.1:2017, with the prefix if there is one */
  readonly url: string | URL
  /** the key, if the service has API_KEYS */
  readonly key?: string | undefined
  /** how often a request is sent again that the service was too busy for; 0 for never */
  readonly retries?: number | undefined
  /** the longest wait before a request is sent again; a service that asks for a longer one gets no other request */
  readonly maxWaitMs?: number | undefined
  readonly fetch?: typeof fetch | undefined
}

/** The bytes of a picture, or the address of one that the service downloads. */
export type ClientPicture = Uint8Array | ArrayBuffer | Blob | URL | string

export interface ClientCall {
  /** number of guesses */
  readonly top?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Guesses; features, for a model without classes; or any other answer of a pipeline of your own. */
export type ModelAnswer = Pick<GuessAnswer, 'model' | 'outputs' | 'timing'> &
  Partial<Pick<GuessAnswer, 'predictions'> & Pick<FeatureAnswer, 'shape' | 'features'>> & {
    readonly prediction?: unknown
  }

export type DoneState = ModelAnswer & { readonly state: 'done'; readonly id: string }

/** An answer that is an error. `code` is one of docs/errors.md, ERR_NETWORK without an answer, ERR_ANSWER for one of another server. */
export class TandemError extends Error {
  override readonly name = 'TandemError'
  readonly code: string
  /** 0 without an answer */
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
const BUSY: readonly number[] = [429, 503]

export class TandemClient {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #retries: number
  readonly #maxWaitMs: number
  readonly #fetch: typeof fetch

  constructor({ url, key, retries = 3, maxWaitMs = 30_000, fetch = globalThis.fetch }: ClientOptions) {
    this.#url = String(url).replace(/\/+$/, '')
    this.#headers = key === undefined ? {} : { Authorization: `Bearer ${key}` }
    this.#retries = retries
    this.#maxWaitMs = maxWaitMs
    // A browser's fetch must be called as a function of the window.
    this.#fetch = (...args) => fetch(...args)
  }

  classify(model: string, picture: ClientPicture, call: ClientCall = {}): Promise<ModelAnswer> {
    return this.#json(...pictureRequest(model, picture, call, 'application/json'), call.signal)
  }

  /** The states of one call as they come; the last one is the answer. Throws a TandemError if the call fails. */
  async *states(
    model: string,
    picture: ClientPicture,
    call: ClientCall = {},
  ): AsyncGenerator<CallState | DoneState, void, undefined> {
    const { signal } = call
    const answer = await this.#send(...pictureRequest(model, picture, call, 'application/x-ndjson'), signal)
    for await (const line of linesOf(answer)) {
      const state = JSON.parse(line) as CallState | DoneState | FailedState
      if (state.state === 'failed') throw failure(state.status, state, state.retryAfter)
      yield state
      if (state.state === 'done') return
    }
    signal?.throwIfAborted()
    throw new TandemError('ERR_NETWORK', 'The connection was lost before the answer.')
  }

  async models(signal?: AbortSignal): Promise<readonly ServedModel[]> {
    return (await this.#json<{ models: readonly ServedModel[] }>('/models', {}, signal)).models
  }

  /** The names of the classes of a model, in the order of its outputs. */
  labels(model: string, signal?: AbortSignal): Promise<readonly string[]> {
    return this.#json(`/labels/${encodeURIComponent(model)}`, {}, signal)
  }

  async #json<Value>(path: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Value> {
    const answer = await this.#send(path, init, signal)
    return (await answer.json().catch((cause: unknown) => {
      signal?.throwIfAborted()
      throw new TandemError('ERR_ANSWER', 'The answer is no complete JSON.', { status: answer.status, cause })
    })) as Value
  }

  /** A request is sent again after 429 and 503 with Retry-After, and after a connection that was lost. */
  async #send(path: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    const headers = { Accept: 'application/json', ...init.headers, ...this.#headers }
    const request = { ...init, headers, signal: signal ?? null }
    for (let sent = 1; ; sent++) {
      const answer = await this.#fetch(this.#url + path, request).catch((cause: unknown) => {
        signal?.throwIfAborted()
        return new TandemError('ERR_NETWORK', `${this.#url} does not answer.`, { cause })
      })
      if (!(answer instanceof TandemError) && answer.ok) return answer
      const error = answer instanceof TandemError ? answer : await failureIn(answer)
      const { status, retryAfter } = error
      const isTransient = status === 0 || (retryAfter !== undefined && BUSY.includes(status))
      const wait = retryAfter === undefined ? FIRST_WAIT_MS * 2 ** (sent - 1) : retryAfter * 1000
      if (!isTransient || sent > this.#retries || wait > this.#maxWaitMs) throw error
      await pause(wait, signal)
    }
  }
}

function pictureRequest(
  model: string,
  picture: ClientPicture,
  { top }: ClientCall,
  accept: string,
): [path: string, init: RequestInit & { readonly headers: Record<string, string> }] {
  const path = `/${encodeURIComponent(model)}${top === undefined ? '' : `?top=${top}`}`
  if (typeof picture === 'string' || picture instanceof URL) {
    const body = new URLSearchParams({ url: String(picture) })
    return [path, { method: 'POST', headers: { Accept: accept }, body }]
  }
  // A blob would bring its own type, which the service might take for a form.
  const headers = { Accept: accept, 'Content-Type': 'application/octet-stream' }
  return [path, { method: 'POST', headers, body: picture as NonNullable<RequestInit['body']> }]
}

async function failureIn(answer: Response): Promise<TandemError> {
  const body: unknown = await answer.json().catch(() => undefined)
  return failure(answer.status, body, secondsIn(answer.headers.get('Retry-After')))
}

/** A number of seconds, or a date. */
function secondsIn(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined
  const seconds = Number(retryAfter)
  const until = Number.isNaN(seconds) ? (Date.parse(retryAfter) - Date.now()) / 1000 : seconds
  return Number.isNaN(until) ? undefined : Math.max(0, until)
}

function failure(status: number, body: unknown, retryAfter: number | undefined): TandemError {
  const { error } = (body ?? {}) as { error?: Partial<FailedState['error']> }
  // A proxy in front of the service answers in a way of its own.
  const { code = 'ERR_ANSWER', message = `The answer has status ${status}.`, requestId } = error ?? {}
  return new TandemError(code, message, { status, requestId, retryAfter })
}

/** The lines of a body. A connection that is lost ends the lines. */
async function* linesOf({ body }: Response): AsyncGenerator<string, void, undefined> {
  if (body === null) return
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const part = await reader.read().catch(() => undefined)
      if (part === undefined || part.done) return
      const lines = (rest + decoder.decode(part.value, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } finally {
    // The caller may have left: then the service takes the call out of its queue.
    await reader.cancel().catch(() => undefined)
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      if (signal?.aborted) reject(signal.reason)
      else resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
  })
}

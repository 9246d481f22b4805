import { Pool } from 'undici'
import { FORM_TYPE, formWith } from '../shared/multipart-form.ts'
import type { Picture } from '../shared/picture.ts'
import type { Route } from './scenario.ts'

export interface SenderOptions {
  readonly url: URL
  readonly key: string | undefined
  readonly model: string | undefined
  readonly timeoutMs: number
  readonly connections: number
  readonly nextPicture: () => Picture
}

/** How a request ended: one of these two, or the code of what went wrong. */
export const ANSWERED = 'answered'
/** By the tester itself, as the user has ended the test. */
export const CUT = 'cut off'

const MAX_ANSWER_BYTES = 16 * 2 ** 20
const TIMEOUTS: readonly string[] = [
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]

interface Answer {
  readonly status: number
  readonly serverCode: string
  readonly text: string
}

/** Sends the requests of one level, each over a connection that no other request uses meanwhile. */
export class Sender {
  readonly #options: SenderOptions
  readonly #pool: Pool

  constructor(options: SenderOptions) {
    this.#options = options
    const { url, timeoutMs, connections } = options
    this.#pool = new Pool(url.origin, {
      connections,
      pipelining: 1,
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: MAX_ANSWER_BYTES,
    })
  }

  /** Never rejects: what went wrong is how the request ended. */
  async send(route: Route, signal: AbortSignal): Promise<string> {
    try {
      return outcomeOf(route, await this.#ask(route, signal))
    } catch (error) {
      return signal.aborted ? CUT : failureOf(error)
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  async #ask(route: Route, signal: AbortSignal): Promise<Answer> {
    const { statusCode, headers, body } = await this.#pool.request({ ...this.#requestFor(route), signal })
    return { status: statusCode, serverCode: String(headers['x-error-code'] ?? ''), text: await body.text() }
  }

  #requestFor(route: Route) {
    const { key, model, nextPicture } = this.#options
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` }
    if (route === 'GET /') {
      const headers = { accept: 'text/html', 'accept-encoding': 'gzip', ...authorization }
      return { method: 'GET', path: '/', headers } as const
    }
    return {
      method: 'POST',
      path: model === undefined ? '/predict' : `/predict?model=${model}`,
      headers: {
        accept: 'application/json',
        'content-type': FORM_TYPE,
        ...authorization,
      },
      body: formWith('file', nextPicture()),
    } as const
  }
}

function outcomeOf(route: Route, { status, serverCode, text }: Answer): string {
  if (status !== 200) return `${status} ${serverCode}`.trim()
  return route === 'GET /' || isPrediction(text) ? ANSWERED : 'ERR_ANSWER'
}

/** A 200 that names no class would be counted as an answer otherwise. */
function isPrediction(text: string): boolean {
  try {
    const { success, prediction } = JSON.parse(text) as { success?: unknown; prediction?: unknown }
    return success === true && typeof prediction === 'string'
  } catch {
    return false
  }
}

function failureOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'ERR_UNKNOWN'
  return TIMEOUTS.includes(code) ? 'ERR_TIMEOUT' : code
}

import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type Dispatcher, Pool } from 'undici'
import { CommandError, EXIT } from '../shared/command-error.ts'
import { difference } from './compare.ts'
import type { Guess, Question, Request } from './question.ts'
import type { Outcome, Result } from './tally.ts'

/** How a client behaves. */
export type Manner = 'plain' | 'writes slowly' | 'reads slowly' | 'leaves' | 'leaves while writing'

export interface AskerOptions {
  readonly url: URL
  readonly connections: number
  /** after which a request without an answer counts as hung */
  readonly limitMs: number
  /** how many children were killed since a time on the clock of performance.now() */
  readonly killsSince: (time: number) => number
}

const MAX_RETRIES = 5
const MAX_ANSWER_BYTES = 16 * 2 ** 20
/** Mostly while the answer is computed, and rarely after it. */
const LEAVES_WITHIN_MS = 400
/** of an answer that is not as expected */
const SHOWN_CHARACTERS = 300
const PIECES = 8
const PIECE_EVERY_MS = 250
const READ_EVERY_MS = 150

const LEAVING: ReadonlySet<Manner> = new Set(['leaves', 'leaves while writing'])
const WRITING: ReadonlySet<Manner> = new Set(['writes slowly', 'leaves while writing'])

interface Answer {
  readonly status: number
  readonly code: string
  readonly retryAfter: number | undefined
  readonly id: string
  readonly text: string
}

type Ended = { readonly answer: Answer } | { readonly outcome: Outcome; readonly why: string }

/** Asks questions, and compares each answer with the right one, which the asker has learnt before. */
export class Asker {
  readonly #options: AskerOptions
  readonly #pool: Pool
  readonly #right = new Map<Question, readonly Guess[]>()
  readonly #open = new Set<(why: Outcome) => void>()
  #isCut = false
  #lastId = ''
  #count = 0

  constructor(options: AskerOptions) {
    this.#options = options
    this.#pool = new Pool(options.url.origin, {
      connections: options.connections,
      pipelining: 1,
      // The asker has a time limit of its own, which tells hung from lost.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_ANSWER_BYTES,
    })
  }

  /** Learns the right answer from a quiet service. */
  async learn(question: Question): Promise<void> {
    const ended = await this.#attempt(question, question.request(undefined, this.#lastId), 'plain')
    if (!('answer' in ended)) throw unfit(question, ended.why)
    const { answer } = ended
    const wrong = unexpected(question, answer)
    if (wrong !== undefined) throw unfit(question, wrong)
    try {
      this.#right.set(question, question.read(answer.text))
    } catch (error) {
      throw unfit(question, messageOf(error))
    }
  }

  /** Never rejects: what went wrong is how the request ended. */
  async ask(question: Question, manner: Manner): Promise<Result> {
    const begin = performance.now()
    const mark = this.#count++ % 2 === 0 ? undefined : `soak-${this.#count}`
    for (let retries = 0; ; retries++) {
      const ended = await this.#attempt(question, question.request(mark, this.#lastId), manner)
      const result = (outcome: Outcome, why?: string) => {
        const ms = performance.now() - begin
        return { outcome, retries, ms, ...(why !== undefined && { why }) }
      }
      if (!('answer' in ended)) return result(ended.outcome, ended.why)
      const { retryAfter, status, code } = ended.answer
      if (status === 503 && retryAfter !== undefined) {
        if (retries >= MAX_RETRIES || this.#isCut) return result('refused', `503 ${code}`)
        await delay(retryAfter * 1000)
        continue
      }
      if (status === 504) return result('lost', `504 ${code}`)
      if (code === 'ERR_CHILD_EXIT' && this.#options.killsSince(begin) > 1)
        return result('refused', `${status} ${code} after two children were killed`)
      const wrong = unexpected(question, ended.answer) ?? this.#differenceTo(question, ended.answer.text)
      return wrong === undefined ? result('right') : result('wrong', wrong)
    }
  }

  /** Ends all requests that are on their way. */
  cut(): void {
    this.#isCut = true
    for (const end of this.#open) end('cut')
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  async #attempt(question: Question, request: Request, manner: Manner): Promise<Ended> {
    if (this.#isCut) return { outcome: 'cut', why: '' }
    const controller = new AbortController()
    let ended: Outcome | undefined
    const end = (why: Outcome) => {
      ended ??= why
      controller.abort()
    }
    const limit = setTimeout(end, this.#options.limitMs, 'hung')
    const leaving = LEAVING.has(manner) ? setTimeout(end, leavesAfterMs(manner), 'left') : undefined
    this.#open.add(end)
    try {
      const answer = await this.#send(request, manner, controller.signal)
      if (question.isKept && answer.status === 200) this.#lastId = answer.id
      return { answer }
    } catch (error) {
      return { outcome: ended ?? 'lost', why: messageOf(error) }
    } finally {
      this.#open.delete(end)
      clearTimeout(limit)
      clearTimeout(leaving)
    }
  }

  async #send(request: Request, manner: Manner, signal: AbortSignal): Promise<Answer> {
    const { method, path, headers = {}, body } = request
    const isSlow = WRITING.has(manner) && body !== undefined
    const response = await this.#pool.request({
      method,
      path,
      signal,
      headers: isSlow ? { ...headers, 'content-length': String(body.length) } : headers,
      ...(body !== undefined && { body: isSlow ? Readable.from(inPieces(body)) : body }),
    })
    const { statusCode, headers: answered } = response
    const text = manner === 'reads slowly' ? await readSlowly(response) : await response.body.text()
    const retryAfter = answered['retry-after']
    return {
      status: statusCode,
      code: String(answered['x-error-code'] ?? codeInStream(text, String(answered['content-type']))),
      retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
      id: String(answered['x-request-id'] ?? ''),
      text,
    }
  }

  #differenceTo(question: Question, text: string): string | undefined {
    const right = this.#right.get(question)
    if (right === undefined) throw new Error(`the right answer to ${question.route} is not known`)
    try {
      return difference(right, question.read(text))
    } catch (error) {
      return `${messageOf(error)} The answer ends with: ${text.slice(-SHOWN_CHARACTERS)}`
    }
  }
}

function unexpected(question: Question, { status, code, text }: Answer): string | undefined {
  if (status === question.status && code === (question.code ?? '')) return undefined
  return `${status} ${code} in place of ${question.status} ${question.code ?? ''}: ${text.slice(0, SHOWN_CHARACTERS)}`
}

/** A stream of states tells an error in its last line, as the status came before. */
function codeInStream(text: string, type: string): string {
  if (!type.startsWith('application/x-ndjson')) return ''
  return /"state":"failed".*"code":"(\w+)"/.exec(text)?.[1] ?? ''
}

function unfit(question: Question, why: string): CommandError {
  return new CommandError(
    `There is no right answer to compare with: "${question.route}", asked of the quiet service, got ${why}`,
    EXIT.failed,
  )
}

/** Most answers take 10 ms: an even distribution would almost never hit them. */
function leavesAfterMs(manner: Manner): number {
  if (manner === 'leaves while writing') return Math.random() * (PIECES - 1) * PIECE_EVERY_MS
  return Math.random() ** 4 * LEAVES_WITHIN_MS
}

async function* inPieces(body: Buffer): AsyncGenerator<Buffer> {
  const size = Math.ceil(body.length / PIECES)
  for (let at = 0; at < body.length; at += size) {
    if (at > 0) await delay(PIECE_EVERY_MS)
    yield body.subarray(at, at + size)
  }
}

async function readSlowly({ body }: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body) {
    chunks.push(chunk as Buffer)
    await delay(READ_EVERY_MS)
  }
  return Buffer.concat(chunks).toString()
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error ? `${error.code}: ${error.message}` : error.message
}

import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

export interface Answered {
  readonly askedAt: number
  readonly answeredAt: number
}

export interface Tally {
  readonly asked: number
  readonly right: number
  readonly wrong: number
  readonly failures: Readonly<Record<string, number>>
}

/** After a refusal, which comes at once, callers would only count refusals. */
const PAUSE_MS = 100

/** Calls whose inputs differ, and whose answers say which input they are for. */
export class Questions {
  readonly #bytes: number
  readonly #answer: (input: Buffer) => Promise<unknown>
  readonly #right: (input: Buffer) => unknown
  readonly answered: Answered[] = []
  #asked = 0
  #rightCount = 0
  #wrongCount = 0
  readonly #failures: Record<string, number> = {}

  /** `right` gives the only right answer to an input. */
  constructor(
    bytes: number,
    answer: (input: Buffer) => Promise<unknown>,
    right: (input: Buffer) => unknown = sha256,
  ) {
    this.#bytes = bytes
    this.#answer = answer
    this.#right = right
  }

  async ask(): Promise<void> {
    const number = this.#asked++
    const input = inputOf(number, this.#bytes)
    const askedAt = performance.now()
    try {
      const answer = await this.#answer(input)
      this.answered.push({ askedAt, answeredAt: performance.now() })
      if (answer === this.#right(input)) this.#rightCount++
      else this.#wrongCount++
    } catch (error) {
      const code = (error as { code?: string }).code ?? /ERR_\w+/.exec(String(error))?.[0] ?? String(error)
      this.#failures[code] = (this.#failures[code] ?? 0) + 1
      await delay(PAUSE_MS)
    }
  }

  /** `count` callers, each of whom asks again as soon as an answer comes, until the signal. */
  async askUntil(signal: AbortSignal, count: number): Promise<void> {
    const caller = async () => {
      while (!signal.aborted) await this.ask()
    }
    await Promise.all(Array.from({ length: count }, caller))
  }

  tally(): Tally {
    return {
      asked: this.#asked,
      right: this.#rightCount,
      wrong: this.#wrongCount,
      failures: this.#failures,
    }
  }
}

/** The answer of bench/peers/wait-pipeline.ts. */
function sha256(input: Buffer): string {
  return createHash('sha256').update(input).digest('hex')
}

/** Different bytes for each number; no cache and no compression shortens them. */
function inputOf(number: number, bytes: number): Buffer {
  const input = Buffer.alloc(bytes, number % 251)
  input.writeUInt32LE(number)
  return input
}

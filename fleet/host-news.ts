import { createHash } from 'node:crypto'
import type { Calls } from '../broker/calls.ts'
import { BEAT_MS } from './host-list.ts'
import type { Port } from './port.ts'
import { HOSTS } from './topology.ts'
import { encodeValue, type PipelineNews } from './wire.ts'

/** What a model host serves under one name, and what it counts. */
export interface Served {
  readonly calls: Calls
  answered: number
  redelivered: number
}

/** At the last word: the count, and answers per second until then. */
interface Rate {
  answered: number
  perSecond: number
}

/** While a model loads, its progress changes many times a second. */
const SOON_MS = 200
const INFO_ID_LENGTH = 16

/** Tells all web hosts what a model host has, and how it is: every two seconds, and soon after each change. */
export class HostNews {
  readonly #port: Port
  readonly #host: { readonly name: string; readonly boot: string }
  readonly #served: ReadonlyMap<string, Served>
  readonly #infoIds = new WeakMap<object, string>()
  // By pipeline, the id of the info that all web hosts have been told.
  readonly #told = new Map<string, string>()
  readonly #rates = new Map<string, Rate>()
  #beat: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined
  #saidAt = performance.now()
  #isLeaving = false
  #isSaying = false
  // True if there is more to say since the last word, which RabbitMQ has not accepted yet.
  #hasMore = false

  constructor(
    port: Port,
    host: { readonly name: string; readonly boot: string },
    served: ReadonlyMap<string, Served>,
  ) {
    this.#port = port
    this.#host = host
    this.#served = served
  }

  start(): void {
    this.#beat = setInterval(() => void this.#say(), BEAT_MS)
  }

  stop(): void {
    clearInterval(this.#beat)
    clearTimeout(this.#soon)
  }

  saySoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      void this.#say()
    }, SOON_MS).unref()
  }

  /** To web hosts that do not know this host, or one of its infos. */
  sayAllSoon(): void {
    this.#told.clear()
    this.saySoon()
  }

  sayAll(): void {
    this.#told.clear()
    void this.#say()
  }

  /** The last word. Resolves when RabbitMQ has it. */
  async leave(): Promise<void> {
    this.#isLeaving = true
    await this.#say()
  }

  /** The same for the same info, on every host. */
  infoId(info: unknown): string {
    if (typeof info !== 'object' || info === null) return ''
    const known = this.#infoIds.get(info)
    if (known !== undefined) return known
    const id = hashOf(info)
    this.#infoIds.set(info, id)
    return id
  }

  async #say(): Promise<void> {
    // Words that RabbitMQ does not accept must not pile up, except the last one.
    if (!this.#port.isUp) return
    if (this.#isSaying && !this.#isLeaving) {
      this.#hasMore = true
      return
    }
    this.#measureRates()
    const pipelines = [...this.#served].map(([name, one]) => this.#newsOf(name, one))
    const body = encodeValue({ ...this.#host, leaving: this.#isLeaving, pipelines })
    this.#isSaying = true
    await this.#port.publish({
      exchange: HOSTS,
      to: '',
      type: 'host',
      body,
      mandatory: false,
      expiresIn: 3 * BEAT_MS,
    })
    this.#isSaying = false
    if (!this.#hasMore) return
    this.#hasMore = false
    this.saySoon()
  }

  /** Words that follow at once upon each other would make the rate a matter of chance. */
  #measureRates(): void {
    const now = performance.now()
    const elapsed = (now - this.#saidAt) / 1000
    if (elapsed < BEAT_MS / 2000) return
    this.#saidAt = now
    for (const [name, { answered }] of this.#served) {
      const before = this.#rates.get(name)?.answered ?? 0
      this.#rates.set(name, { answered, perSecond: (answered - before) / elapsed })
    }
  }

  #newsOf(name: string, { calls, redelivered }: Served): PipelineNews {
    const { state, info, progress, error, workers, capacity, inFlight, queued, restarts } = calls.stats()
    const infoId = this.infoId(info)
    const isNew = infoId !== '' && this.#told.get(name) !== infoId
    if (isNew) this.#told.set(name, infoId)
    return {
      name,
      state,
      infoId,
      ...(isNew && { info }),
      progress,
      error,
      children: workers.length,
      capacity,
      inFlight: inFlight + queued,
      rate: this.#rates.get(name)?.perSecond ?? 0,
      restarts,
      redelivered,
    }
  }
}

/** An info that cannot be sent is not told. */
function hashOf(info: object): string {
  try {
    return createHash('sha256').update(encodeValue(info)).digest('base64url').slice(0, INFO_ID_LENGTH)
  } catch {
    return ''
  }
}

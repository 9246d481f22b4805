import { EventEmitter } from 'node:events'
import { nanoid } from 'nanoid'
import type { CallOptions, Calls } from '../broker/calls.ts'
import { BrokerError } from '../broker/errors.ts'
import { mustBeSignal, readDeadline, wholeNumber } from '../broker/options.ts'
import { type Call, type CallTiming, type Outcome, Pending, tell } from '../broker/pending.ts'
import { Positions } from '../broker/positions.ts'
import { closed, refusalOf } from '../broker/refusal.ts'
import type { BrokerEvents, BrokerState, BrokerStats, ErrorSummary } from '../broker/state.ts'
import { type PromiseWithResolvers, withResolvers } from '../broker/with-resolvers.ts'
import type { HostId, PipelineView } from './host-list.ts'
import type { Delivery, Fate } from './port.ts'
import { callQueue, callQueueName } from './topology.ts'
import type { Member, WebHost } from './web-host.ts'
import { decodeReply, encodeValue, errorOf, type PipelineNews } from './wire.ts'

/** A call on its way, beside the promise in Pending. */
interface Flight {
  readonly endsAt: number
  /** how many times the call was published */
  attempt: number
  isAccepted: boolean
  /** the boot id of the host that runs this call alone, after another host died over it: then no host gets it again */
  takenBy: string | undefined
}

/** So long, calls wait for RabbitMQ or a host to come back. Later calls are refused at once. */
const OUTAGE_MS = 10_000
/** Until a call that was accepted once, and then refused at its second attempt, is published again. */
const AGAIN_MS = 200
const CALL_BYTES = 512
const WAITING_EVERY_MS = 2000
const NO_CONNECTION = 'There is no connection to RabbitMQ.'
const TWO_DEATHS = 'Two model hosts died over this call.'

/** Calls to a pipeline on other hosts, through RabbitMQ. Each call has a key, under which its promise waits. */
export class FleetBroker extends EventEmitter<BrokerEvents> implements Calls, Member {
  readonly pipeline: string
  readonly web: WebHost
  readonly #pending = new Pending((call, outcome, timing, error) => this.#ended(call, outcome, timing, error))
  // For every pending call, in the order of the calls.
  readonly #flights = new Map<string, Flight>()
  // The keys of pending calls that must be published, in order.
  readonly #unsent = new Set<string>()
  readonly #positions = new Positions()
  // The sum over all pending calls.
  #bytes = 0
  #state: BrokerState = 'idle'
  #error: (BrokerError & { code: string }) | undefined
  #wasReady = false
  // Since when no host is known; undefined while there is one.
  #deserted: number | undefined
  #started: PromiseWithResolvers<void> | undefined
  #toldInfo: unknown
  #closing: Promise<void> | undefined
  #drained: (() => void) | undefined
  #isSending = false
  #waiting: number | null = null
  #lookedAt = Number.NEGATIVE_INFINITY
  #returned = 0
  #refused = 0
  #republished = 0
  #lostHosts = 0

  constructor(web: WebHost, pipeline: string) {
    super()
    this.web = web
    this.pipeline = pipeline
    web.add(this)
  }

  /** Resolves when a host is ready. Rejects when RabbitMQ cannot be reached; even then, the attempts go on until close(). */
  start(): Promise<void> {
    if (this.#closing) return Promise.reject(closed())
    if (this.#started) return this.#started.promise
    this.#started = withResolvers<void>()
    this.#setState('starting')
    this.web.open()
    this.update()
    return this.#started.promise
  }

  call<Result = unknown>(method: string, input: unknown, options: CallOptions = {}): Promise<Result> {
    try {
      const calledAt = performance.now()
      mustBeSignal(options.signal)
      const deadline = readDeadline(options.deadline ?? this.web.settings.limits.deadline)
      const body = encodeValue(input)
      const bytes = body.byteLength + CALL_BYTES
      const { silent = false } = options
      const call: Call = { key: nanoid(), method, input: body, bytes, calledAt, silent, sentAt: 0, deaths: 0 }
      this.#admit(call, options.signal)
      const promise = this.#pending.add<Result>(call, deadline, options)
      const flight = { endsAt: calledAt + deadline, attempt: 0, isAccepted: false, takenBy: undefined }
      this.#flights.set(call.key, flight)
      this.#bytes += bytes
      this.#unsent.add(call.key)
      if (options.onPosition) this.#positions.watch(call.key, options.onPosition)
      this.#sendSoon()
      return promise
    } catch (error) {
      return Promise.reject(error)
    }
  }

  stats(): BrokerStats {
    const { port } = this.web
    const hosts = this.web.hosts.statsOf(this.pipeline)
    const { capacity, infoId } = this.#view()
    const pending = this.#pending.size
    const inFlight = Math.min(pending, capacity)
    return {
      state: this.#state,
      queued: pending - inFlight,
      queuedBytes: pending > inFlight ? this.#bytes : 0,
      inFlight,
      restarts: this.#lostHosts,
      progress: this.#state === 'ready' ? null : this.#progress(),
      error: this.#state === 'ready' || !this.#error ? null : summaryOf(this.#error),
      info: this.web.hosts.info(infoId),
      capacity,
      workers: [],
      spares: [],
      fleet: {
        connected: port.isUp,
        blocked: port.blocked ?? null,
        hosts,
        waiting: this.#waiting,
        oldest: this.#oldest(),
        reconnects: port.reconnects,
        returned: this.#returned,
        refused: this.#refused,
        republished: this.#republished,
      },
    }
  }

  /** Refuses new calls, waits for the accepted ones, then closes the connection if no other FleetBroker uses it. */
  close({ timeout = this.web.settings.limits.closeTimeout }: { timeout?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(wholeNumber('timeout', Math.ceil(timeout), 0, 2 ** 30))
    return this.#closing
  }

  kill(): void {
    this.#closing ??= Promise.resolve()
    this.#rejectAll('closed', closed())
    this.#started?.reject(closed())
    this.#setState('closed')
    void this.web.remove(this)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Every call without an answer is published again. */
  connected(): void {
    for (const [key, flight] of this.#flights) {
      if (flight.takenBy !== undefined) continue
      if (flight.attempt > 0) this.#republished++
      this.#unsent.add(key)
    }
    if (this.#wasReady) void this.#declare()
    this.update()
    this.send()
  }

  /** Calls that RabbitMQ has not accepted would wait without a place in the queue. */
  blocked(reason: string): void {
    for (const [key, { attempt, isAccepted }] of [...this.#flights]) {
      if (attempt > 1 || isAccepted) continue
      this.#pending.reject(key, 'queue_full', blockedBy(reason))
    }
  }

  update(): void {
    if (this.#closing || this.#state === 'idle') return
    const { news } = this.#view()
    const now = performance.now()
    this.#deserted = news.length > 0 ? undefined : (this.#deserted ?? now)
    const [state, error] = this.#judge(news, now)
    this.#error = error
    const progress = this.#progress()
    if (state !== 'ready' && progress) this.emit('progress', { pid: undefined, ...progress })
    if (state === 'ready') {
      if (!this.#wasReady) void this.#declare()
      this.#wasReady = true
      this.#tellInfo()
      this.#started?.resolve()
    } else if (state === 'failed' && error) this.#started?.reject(error)
    this.#setState(state, error)
    this.#positions.tell({ keys: () => this.#queuedKeys() })
  }

  look(): void {
    this.update()
    const now = performance.now()
    if (now - this.#lookedAt < WAITING_EVERY_MS) return
    this.#lookedAt = now
    void this.web.waiting(this.pipeline).then((waiting) => {
      this.#waiting = waiting
    })
  }

  /** Publishes what must be published, as long as messages do not pile up. */
  send(): void {
    const { port } = this.web
    for (const key of this.#unsent) {
      if (!port.isUp || !port.isWritable) return
      this.#unsent.delete(key)
      this.#publish(key)
    }
  }

  answer({ key, type, body, headers }: Delivery): boolean {
    const flight = this.#flights.get(key)
    if (!flight) return false
    if (type === 'taken') {
      flight.takenBy = String(headers.boot)
      this.#unsent.delete(key)
      return true
    }
    try {
      const reply = decodeReply(type, body)
      if (reply.kind === 'result') {
        this.#pending.resolve(key, reply.value, reply.work, this.web.hosts.info(headers.info))
      } else this.#pending.reject(key, 'failure', errorOf(reply.error), reply.work)
    } catch (error) {
      this.#pending.reject(key, 'failure', error)
    }
    return true
  }

  /**
   * RabbitMQ gives the calls of a lost host to other hosts, except those that the host ran alone, because they have cost
   * another host its life before.
   */
  hostChanged(host: HostId, change: 'came' | 'leaving' | 'lost'): void {
    tell(() => this.emit('host', { ...host, change }))
    if (change !== 'lost') return
    this.#lostHosts++
    for (const [key, { takenBy }] of [...this.#flights]) {
      if (takenBy !== host.boot) continue
      this.#pending.reject(key, 'child_exit', new BrokerError('ERR_CHILD_EXIT', TWO_DEATHS))
    }
  }

  #admit(call: Call, signal: AbortSignal | undefined): void {
    const { port, settings } = this.web
    const waiting = { calls: Math.max(0, this.#pending.size - this.#view().capacity), bytes: this.#bytes }
    const { blocked } = port
    const refusal =
      refusalOf(call, signal, {
        isClosing: this.#closing !== undefined,
        state: this.#state,
        methods: undefined,
        waiting,
        limits: settings.limits,
        notReady: () => this.#error ?? this.#noHost(),
      }) ??
      (blocked === undefined ? undefined : ({ outcome: 'queue_full', error: blockedBy(blocked) } as const))
    if (refusal === undefined) return
    const { outcome, error } = refusal
    const timing = { queue: 0, prepare: 0, predict: 0, total: 0, batch: 0 }
    if (!call.silent) this.emit('call', { method: call.method, outcome, code: error.code, timing })
    throw error
  }

  /** Calls of one tick are published together. */
  #sendSoon(): void {
    if (this.#isSending) return
    this.#isSending = true
    process.nextTick(() => {
      this.#isSending = false
      this.send()
      this.#positions.tell({ keys: () => this.#queuedKeys() })
    })
  }

  #publish(key: string): void {
    const call = this.#pending.get(key)
    const flight = this.#flights.get(key)
    if (!call || !flight) return
    const left = flight.endsAt - performance.now()
    // The timer of the deadline fires in this very moment.
    if (left < 1) return
    const attempt = ++flight.attempt
    void this.web.port
      .publish({
        exchange: '',
        to: callQueueName(this.pipeline),
        type: 'call',
        key,
        replyTo: this.web.replyTo,
        body: call.input as Uint8Array,
        expiresIn: left,
        headers: { attempt, method: call.method, deadline: Math.round(Date.now() + left) },
      })
      .then((fate) => this.#published(key, flight, fate))
  }

  #published(key: string, flight: Flight, fate: Fate): void {
    if (fate === 'unroutable') this.#returned++
    if (fate === 'full') this.#refused++
    if (this.#flights.get(key) !== flight || fate === 'lost') return
    if (fate === 'accepted') {
      flight.isAccepted = true
      return
    }
    if (fate === 'too_large') {
      const message = 'The input is larger than the max_message_size of RabbitMQ.'
      this.#pending.reject(key, 'failure', new BrokerError('ERR_TOO_LARGE', message))
      return
    }
    // RabbitMQ has lost the queue, which the hosts declare again too, maybe later than this caller.
    const isQueueLost = fate === 'unroutable' && this.#wasReady
    if (isQueueLost) void this.#declare()
    // The call keeps its chance: hosts will have their queue again, or an earlier copy may be in the queue.
    if (isQueueLost || flight.attempt > 1) {
      setTimeout(() => {
        if (!this.#flights.has(key)) return
        this.#unsent.add(key)
        this.send()
      }, AGAIN_MS).unref()
      return
    }
    if (fate === 'unroutable') {
      this.#pending.reject(key, 'not_ready', this.#noHost())
      return
    }
    const message = `The queue ${callQueueName(this.pipeline)} is full.`
    this.#pending.reject(key, 'queue_full', new BrokerError('ERR_QUEUE_FULL', message))
  }

  #ended(call: Call, outcome: Outcome, timing: CallTiming, error: unknown): void {
    const flight = this.#flights.get(call.key)
    this.#flights.delete(call.key)
    this.#unsent.delete(call.key)
    this.#bytes -= call.bytes
    this.#positions.forget(call.key)
    const wasSent = flight !== undefined && flight.attempt > 0
    if (wasSent && outcome !== 'result' && outcome !== 'failure') this.web.cancel(call.key)
    const code = (error as { code?: string } | undefined)?.code
    if (!call.silent)
      this.emit('call', { method: call.method, outcome, timing, ...(code === undefined ? {} : { code }) })
    this.#sendSoon()
    if (this.#pending.size === 0) this.#drained?.()
  }

  async #close(timeout: number): Promise<void> {
    this.#setState('closing')
    if (this.#pending.size > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
        setTimeout(resolve, timeout).unref()
      })
    }
    this.#rejectAll('closed', closed())
    // The cancellation of these calls is sent at the end of this tick.
    await new Promise((resolve) => setImmediate(resolve))
    await this.web.remove(this)
    this.#started?.reject(closed())
    this.#setState('closed')
  }

  #rejectAll(outcome: 'closed', error: BrokerError): void {
    for (const key of this.#pending.keys()) this.#pending.reject(key, outcome, error)
  }

  /** Both sides declare the queue, so that a RabbitMQ that has lost its data gets it from the side that comes first. */
  async #declare(): Promise<void> {
    await this.web.port.declare(callQueue(this.pipeline, this.web.settings.queue)).catch(() => undefined)
  }

  #judge(news: readonly PipelineNews[], now: number): [BrokerState, BrokerError | undefined] {
    const { downSince, lastError } = this.web
    const without = this.#wasReady ? 'restarting' : 'starting'
    if (downSince !== undefined) {
      // Clients see the message. The address of RabbitMQ is for the log alone.
      const error = new BrokerError('ERR_NOT_READY', NO_CONNECTION, { cause: lastError })
      return [now - downSince >= OUTAGE_MS ? 'failed' : without, error]
    }
    if (news.some(({ state }) => state === 'ready')) return ['ready', undefined]
    const [first] = news
    if (!first) {
      const isLong = this.#wasReady && this.#deserted !== undefined && now - this.#deserted >= OUTAGE_MS
      return [isLong ? 'failed' : without, this.#noHost()]
    }
    const failed = news.find(({ error }) => error !== null)
    const message = failed?.error?.message
    const error = message === undefined ? undefined : new BrokerError('ERR_NOT_READY', message)
    return [news.every(({ state }) => state === 'failed') ? 'failed' : without, error]
  }

  #setState(state: BrokerState, error?: BrokerError): void {
    const previous = this.#state
    if (state === previous) return
    this.#state = state
    tell(() => this.emit('state', { state, previous, ...(error ? { error: summaryOf(error) } : {}) }))
  }

  #tellInfo(): void {
    const info = this.web.hosts.info(this.#view().infoId)
    if (info === this.#toldInfo) return
    this.#toldInfo = info
    tell(() => this.emit('info', { info }))
  }

  #noHost(): BrokerError {
    return new BrokerError('ERR_NOT_READY', `No model host serves "${this.pipeline}".`)
  }

  #progress(): BrokerStats['progress'] {
    const { news } = this.#view()
    const reports = news.flatMap(({ progress }) => (progress ? [progress] : []))
    const furthest = reports.sort((a, b) => b.fraction - a.fraction)[0]
    if (furthest || this.#wasReady) return furthest ?? null
    if (this.web.downSince !== undefined) return { fraction: 0, word: NO_CONNECTION }
    return news.length > 0 ? null : { fraction: 0, word: `No model host serves "${this.pipeline}" yet.` }
  }

  #view(): PipelineView {
    return this.web.hosts.view(this.pipeline)
  }

  #oldest(): number {
    const [key] = this.#flights.keys()
    const call = key === undefined ? undefined : this.#pending.get(key)
    return call ? performance.now() - call.calledAt : 0
  }

  /** The calls of this process that no host has yet, as far as this process can know. */
  *#queuedKeys(): Iterable<string> {
    let held = this.#view().capacity
    for (const key of this.#flights.keys()) if (held-- <= 0) yield key
  }
}

function blockedBy(reason: string): BrokerError {
  return new BrokerError('ERR_QUEUE_FULL', `RabbitMQ accepts no calls at the moment: ${reason}.`)
}

function summaryOf(error: BrokerError): ErrorSummary {
  return { code: error.code, message: error.message, permanent: false }
}

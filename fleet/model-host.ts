import { EventEmitter } from 'node:events'
import { nanoid } from 'nanoid'
import type { Calls } from '../broker/calls.ts'
import { BrokerError } from '../broker/errors.ts'
import { LONGEST_MS, wholeNumber } from '../broker/options.ts'
import type { CallTiming } from '../broker/pending.ts'
import { AmqpPort } from './amqp-port.ts'
import { Callers } from './callers.ts'
import type { FleetEvents } from './events.ts'
import { HostNews, type Served } from './host-news.ts'
import { type Job, Jobs } from './jobs.ts'
import { KnownAnswers } from './known-answers.ts'
import { type FleetOptions, type FleetSettings, readFleetOptions } from './options.ts'
import type { Delivery, Outgoing, Port, Subscription } from './port.ts'
import { CANCEL, callQueue, deadQueue, noticeQueue } from './topology.ts'
import { decodeValue, encodeReply, encodeValue, failureOf, type Reply, readNotice } from './wire.ts'

export interface ModelHostOptions extends FleetOptions {
  /** What this host serves, by name: the calls to local children. The caller starts and closes them. */
  pipelines: ReadonlyMap<string, Calls> | Readonly<Record<string, Calls>>
  /** A host with a higher priority gets calls first, until it has as many as it can hold. */
  priority?: number
}

export interface ModelHostStats {
  connected: boolean
  blocked: string | null
  reconnects: number
  /** Calls that this host holds, and replies that RabbitMQ has not accepted yet. */
  held: number
  /** Counts since the start, by the end of the delivery. */
  answered: number
  redelivered: number
  /** Deliveries of a call that this host was computing, or had answered. */
  repeated: number
  /** Calls that were dropped because nobody waits for them any more: cancelled, expired, or their web host has gone. */
  dropped: number
  /** Deliveries that were no calls. */
  malformed: number
}

const CANCELLED_KEYS = 10_000
const LOOK_AT_CALLERS_MS = 1000
/** Errors of the local Broker that say nothing about the input: another host may answer. */
const ELSEWHERE: readonly string[] = ['ERR_NOT_READY', 'ERR_CLOSED']
/** Until the local Broker is asked again after ERR_QUEUE_FULL. RabbitMQ would give the call back to this host at once. */
const AGAIN_MS = 100

/** Serves local children to the whole fleet: takes calls from RabbitMQ's queues, and answers them. */
export class ModelHost extends EventEmitter<FleetEvents> {
  readonly boot = nanoid(8)
  readonly settings: FleetSettings
  readonly #port: Port
  readonly #priority: number
  readonly #served: ReadonlyMap<string, Served>
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #news: HostNews
  readonly #jobs = new Jobs((job) => void this.#run(job))
  readonly #callers: Callers
  readonly #answers = new KnownAnswers<Outgoing>()
  // Replies that RabbitMQ has not accepted yet, by key: published again when the connection comes back.
  readonly #replies = new Map<string, { readonly message: Outgoing; readonly job: Job }>()
  // The keys of cancelled calls, which may still come; the oldest first.
  readonly #cancelled = new Set<string>()
  #lookTimer: NodeJS.Timeout | undefined
  #isLeaving = false
  #isLooking = false
  #closing: Promise<void> | undefined
  #idle: (() => void) | undefined
  #counts = { answered: 0, redelivered: 0, repeated: 0, dropped: 0, malformed: 0 }

  constructor({ pipelines, priority = 0, ...options }: ModelHostOptions) {
    super()
    this.settings = readFleetOptions(options)
    this.#priority = wholeNumber('priority', priority, 0, 255)
    const entries = pipelines instanceof Map ? [...pipelines] : Object.entries(pipelines)
    this.#served = new Map(entries.map(([name, calls]) => [name, { calls, answered: 0, redelivered: 0 }]))
    this.#port = new AmqpPort(this.settings.urls, `${this.settings.name} model`)
    this.#callers = new Callers(this.#port)
    this.#news = new HostNews(this.#port, { name: this.name, boot: this.boot }, this.#served)
    this.#port.consume({ queue: noticeQueue(CANCEL), deliver: (delivery) => this.#notice(delivery) })
    this.#listen()
  }

  get name(): string {
    return this.settings.name
  }

  /** Connects, and serves each pipeline as soon as it is ready. */
  start(): void {
    this.#port.open()
    this.#news.start()
    this.#lookTimer = setInterval(() => void this.#lookAtCallers(), LOOK_AT_CALLERS_MS)
    for (const name of this.#served.keys()) this.#serve(name)
  }

  stats(): ModelHostStats {
    return {
      connected: this.#port.isUp,
      blocked: this.#port.blocked ?? null,
      reconnects: this.#port.reconnects,
      held: this.#jobs.size,
      ...this.#counts,
    }
  }

  /** Takes no more calls, answers those that this host has, then closes the connection. The pipelines stay open. */
  close({ timeout = this.settings.limits.closeTimeout }: { timeout?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(wholeNumber('timeout', Math.ceil(timeout), 0, 2 ** 30))
    return this.#closing
  }

  /** Closes the connection at once: RabbitMQ gives the calls of this host to other hosts. */
  kill(): void {
    this.#closing ??= Promise.resolve()
    this.#isLeaving = true
    this.#stopTimers()
    this.#jobs.forgetWaiting()
    for (const job of [...this.#jobs]) this.#abandon(job)
    void this.#port.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(timeout: number): Promise<void> {
    this.#isLeaving = true
    const said = this.#news.leave()
    await Promise.all([...this.#subscriptions.values()].map((subscription) => subscription.cancel()))
    if (this.#jobs.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
        setTimeout(resolve, timeout).unref()
      })
    }
    this.#stopTimers()
    this.#jobs.forgetWaiting()
    for (const job of [...this.#jobs]) this.#abandon(job)
    if (this.#port.isUp) await said
    await this.#port.close()
  }

  #listen(): void {
    const port = this.#port
    port.on('up', () => {
      void port.declare(deadQueue()).catch(() => undefined)
      this.#news.sayAll()
      for (const { message, job } of this.#replies.values()) this.#reply(message, job)
      this.emit('up')
    })
    port.on('down', (error) => {
      // RabbitMQ delivers them again, to this host or another one. What runs goes on, and is answered.
      this.#jobs.forgetWaiting()
      for (const job of this.#jobs) job.deliveries = []
      this.emit('down', error)
    })
    port.on('unreachable', (error) => this.emit('unreachable', error))
    port.on('blocked', (reason) => this.emit('blocked', reason))
    port.on('unblocked', () => this.emit('unblocked'))
    port.on('differs', (queue) => this.emit('differs', queue))
    for (const [name, { calls }] of this.#served) {
      calls.on('state', () => {
        this.#serve(name)
        this.#news.saySoon()
      })
      calls.on('progress', () => this.#news.saySoon())
      calls.on('info', () => this.#news.saySoon())
    }
  }

  /** Consumes the queue of a pipeline while the pipeline can answer. */
  #serve(name: string): void {
    const one = this.#served.get(name)
    if (!one || this.#isLeaving || this.#lookTimer === undefined) return
    const { state, capacity } = one.calls.stats()
    const subscription = this.#subscriptions.get(name)
    if (state === 'ready' && !subscription) {
      const begun = this.#port.consume({
        queue: callQueue(name, this.settings.queue),
        prefetch: capacity,
        priority: this.#priority,
        deliver: (delivery) => void this.#deliver(name, delivery),
      })
      this.#subscriptions.set(name, begun)
    } else if (state === 'failed' || state === 'closing' || state === 'closed') {
      void subscription?.cancel()
      this.#subscriptions.delete(name)
    }
  }

  async #deliver(pipeline: string, delivery: Delivery): Promise<void> {
    if (this.#callers.isGone(delivery.replyTo) && !(await this.#callers.isThere(delivery.replyTo))) {
      this.#counts.dropped++
      delivery.ack()
      return
    }
    const { key, replyTo, headers, redelivered } = delivery
    const { method } = headers
    if (key === '' || replyTo === '' || typeof method !== 'string') {
      this.#counts.malformed++
      delivery.ack()
      return
    }
    if (redelivered) this.#count(pipeline, 'redelivered')
    const known = this.#answers.get(key)
    const running = this.#jobs.get(key)
    if (running || known) this.#counts.repeated++
    // The acknowledgement follows the reply, as for the first delivery.
    if (running) {
      running.replyTo = replyTo
      running.deliveries.push(delivery)
      return
    }
    if (known) {
      // Without an acknowledgement, the call comes again when the connection is back.
      const fate = await this.#port.publish({ ...known, to: replyTo })
      if (fate !== 'lost') delivery.ack()
      return
    }
    if (this.#cancelled.has(key)) {
      this.#counts.dropped++
      delivery.ack()
      return
    }
    this.#jobs.add({
      key,
      pipeline,
      method,
      body: delivery.body,
      replyTo,
      endsAt: performance.now() + leftOf(delivery),
      isSuspect: redelivered,
      controller: new AbortController(),
      deliveries: [delivery],
      isRunning: false,
      isAlone: false,
    })
  }

  async #run(job: Job): Promise<void> {
    if (job.isAlone && !(await this.#take(job))) return this.#abandon(job)
    const calls = this.#served.get(job.pipeline)?.calls
    const left = Math.ceil(job.endsAt - performance.now())
    if (!calls || left <= 0 || job.controller.signal.aborted) return this.#drop(job)
    let timing: CallTiming | undefined
    let info: unknown
    try {
      const value = await calls.call(job.method, decodeValue(job.body), {
        deadline: left,
        signal: job.controller.signal,
        onTiming: (measured) => {
          timing = measured
        },
        onInfo: (told) => {
          info = told
        },
      })
      const { prepare, predict, batch } = timing ?? { prepare: 0, predict: 0, batch: 0 }
      this.#answer(job, { kind: 'result', value, work: { prepare, predict, batch } }, info)
    } catch (error) {
      this.#failed(job, error)
    }
  }

  /** The caller learns who has the call, and RabbitMQ forgets it: a third host must not die over it. */
  async #take(job: Job): Promise<boolean> {
    const fate = await this.#port.publish({
      exchange: '',
      to: job.replyTo,
      type: 'taken',
      key: job.key,
      body: encodeValue({}),
      headers: { host: this.name, boot: this.boot },
    })
    // RabbitMQ delivers the call again, and its caller does not know yet that it has been taken.
    if (fate === 'lost') return false
    // An acknowledgement that is still in this process when the call kills the process would be lost.
    await Promise.all(job.deliveries.splice(0).map((delivery) => delivery.acked()))
    return true
  }

  #failed(job: Job, error: unknown): void {
    const code = error instanceof BrokerError ? error.code : ''
    if (code === 'ERR_ABORTED') {
      this.#drop(job)
      return
    }
    if (code === 'ERR_QUEUE_FULL') {
      setTimeout(() => void this.#run(job), AGAIN_MS)
      return
    }
    if (ELSEWHERE.includes(code) && job.deliveries.length > 0) {
      this.#jobs.remove(job)
      for (const delivery of job.deliveries) delivery.requeue()
      this.#checkIdle()
      return
    }
    this.#answer(job, failureOf(error), undefined)
  }

  #answer(job: Job, reply: Reply, info: unknown): void {
    if (this.#jobs.get(job.key) !== job) return
    const message = this.#messageOf(job, reply, info)
    this.#count(job.pipeline, 'answered')
    this.#answers.add(job.key, message, message.body.byteLength)
    this.#replies.set(job.key, { message, job })
    this.#reply(message, job)
  }

  #messageOf({ key, replyTo }: Job, reply: Reply, info: unknown): Outgoing {
    const headers = { host: this.name, boot: this.boot, info: this.#news.infoId(info) }
    try {
      return { exchange: '', to: replyTo, type: reply.kind, key, headers, body: encodeReply(reply) }
    } catch (error) {
      const body = encodeReply(failureOf(error))
      return { exchange: '', to: replyTo, type: 'failure', key, headers, body }
    }
  }

  /** The delivery is acknowledged only when RabbitMQ has the reply. */
  #reply(message: Outgoing, job: Job): void {
    void this.#port.publish(message).then((fate) => {
      if (fate === 'lost') {
        // Published again when the connection comes back, unless nobody can be waiting any more.
        if (performance.now() > job.endsAt) this.#done(job)
        return
      }
      if (fate === 'too_large') return this.#answerTooLarge(job)
      if (fate === 'unroutable') {
        this.#callers.gone(message.to)
        this.#dropCallsOf(message.to)
        if (job.replyTo !== message.to) return this.#reply({ ...message, to: job.replyTo }, job)
      }
      this.#done(job)
    })
  }

  #answerTooLarge(job: Job): void {
    const error = new BrokerError(
      'ERR_TOO_LARGE',
      'The answer is larger than the max_message_size of RabbitMQ.',
    )
    const message = this.#messageOf(job, failureOf(error), undefined)
    this.#answers.add(job.key, message, message.body.byteLength)
    this.#replies.set(job.key, { message, job })
    // The connection has just been lost with the message; the new one publishes the replies that remain.
    if (this.#port.isUp) this.#reply(message, job)
  }

  #done(job: Job): void {
    this.#replies.delete(job.key)
    this.#jobs.remove(job)
    for (const delivery of job.deliveries) delivery.ack()
    this.#checkIdle()
  }

  /** Nobody waits for this call any more. */
  #drop(job: Job): void {
    if (this.#jobs.get(job.key) !== job) return
    this.#counts.dropped++
    if (!job.controller.signal.aborted) job.controller.abort()
    this.#done(job)
  }

  /** The connection ends without an acknowledgement, so that another host gets this call. */
  #abandon(job: Job): void {
    job.deliveries = []
    this.#jobs.remove(job)
    job.controller.abort()
  }

  #dropCallsOf(replyTo: string): void {
    for (const job of [...this.#jobs])
      if (job.replyTo === replyTo && !this.#replies.has(job.key)) this.#drop(job)
  }

  #checkIdle(): void {
    if (this.#jobs.size === 0) this.#idle?.()
  }

  async #lookAtCallers(): Promise<void> {
    if (!this.#port.isUp || this.#isLooking) return
    this.#isLooking = true
    const replyTos = new Set([...this.#jobs].filter(({ isAlone }) => !isAlone).map(({ replyTo }) => replyTo))
    this.#callers.keep(replyTos)
    for (const replyTo of replyTos) {
      // Dropped at once, before the web host can come back and publish its calls again.
      await this.#callers.isThere(replyTo)
      if (this.#callers.isGone(replyTo)) this.#dropCallsOf(replyTo)
    }
    this.#isLooking = false
  }

  #notice({ type, body }: Delivery): void {
    try {
      const notice = readNotice(type, body)
      if (notice.kind === 'cancel') {
        this.#cancel(notice.keys)
        return
      }
      this.#news.sayAllSoon()
    } catch {
      // Written by another version, or by another program.
    }
  }

  #cancel(keys: readonly string[]): void {
    for (const key of keys) {
      const job = this.#jobs.get(key)
      if (job && !this.#replies.has(key)) this.#drop(job)
      this.#cancelled.add(key)
    }
    for (const key of this.#cancelled) {
      if (this.#cancelled.size <= CANCELLED_KEYS) return
      this.#cancelled.delete(key)
    }
  }

  #count(pipeline: string, what: 'answered' | 'redelivered'): void {
    this.#counts[what]++
    const one = this.#served.get(pipeline)
    if (one) one[what]++
  }

  #stopTimers(): void {
    this.#news.stop()
    clearInterval(this.#lookTimer)
  }
}

/**
 * The milliseconds that the call may still take. RabbitMQ drops a call that expires in its queue. The time in the queue
 * is not subtracted: only the clock of the web host knows that time, and two clocks may differ by hours. The web host
 * ends the call in time, and says so.
 */
function leftOf({ expiresIn = LONGEST_MS }: Delivery): number {
  return Math.min(expiresIn, LONGEST_MS)
}

import type { ChildProcess as Forked } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { ChildError } from './error-wire.ts'
import { BrokerError, type BrokerErrorCode } from './errors.ts'
import { forkChild } from './fork-child.ts'
import { guardChannel } from './guard-channel.ts'
import {
  type CallAnswer,
  type CallMessage,
  type ChildLimits,
  type FromChild,
  isFromChild,
  type ToChild,
} from './messages.ts'
import type { ProgressReport } from './pipeline.ts'
import { MAX_PLACES } from './places.ts'
import { readLines } from './read-lines.ts'

/** A call that was sent to the child and has not ended yet. */
export interface Sent {
  readonly key: string
  sentAt: number
}

export interface ChildOptions extends ChildLimits {
  name: string
  pipeline: string
  options: unknown
  hangTimeout: number
  startTimeout: number
  maxMessageBytes: number
}

export interface ChildEvents {
  progress: [ProgressReport]
  ready: []
  answers: [CallAnswer[]]
  log: [{ stream: 'stdout' | 'stderr'; line: string }]
  exit: [{ exitCode: number | null; signal: NodeJS.Signals | null; expected: boolean }]
}

// A spare that has not shown itself for this long is no faster than a new child.
const WAKE_WITHIN_MS = 5_000
// A child that was asked to close has this long before it is killed.
const KILL_AFTER_MS = 2_000
// The exit event may come before the child's last answers; answers in the pipe have this long to arrive.
const LAST_ANSWERS_MS = 250
// A call may wait in the child for the batch before, for its preparation, and for the halves of a failing batch. After
// this many hang timeouts, its preparation is taken to hang.
const HELD_HANGS = 4

/** The parent's view of one child process, from fork to exit. */
export class ChildView extends EventEmitter<ChildEvents> {
  readonly #forked: Forked
  readonly #options: ChildOptions
  // Set when the child reports that it is ready; undefined until then, and again from wake() to its answer.
  methods: ReadonlySet<string> | undefined
  info: unknown
  /** The files that decide what the pipeline is. */
  watch: readonly string[] = []
  /** Milliseconds since 1970. A change of a file after this moment may be unknown to the child. */
  readonly startedAt = Date.now()
  /** How long the start took; undefined until the child was ready. */
  startMs: number | undefined
  progress: ProgressReport | undefined
  /** Why this child could not start or is being killed. Always set before the exit event. */
  failure:
    | { code: BrokerErrorCode; message: string; error?: Extract<FromChild, { kind: 'failed' }>['error'] }
    | undefined
  // True once the parent has killed this child, because it was silent for too long or wrote garbage.
  condemned = false
  // The calls that this child holds, by key, the oldest first. The scheduler bounds their number.
  readonly held = new Map<string, Sent>()
  // The keys of the calls that certainly are the reason why this child is being killed.
  culprits: readonly string[] = []
  // The key of the call that this child retries alone: no other call is sent meanwhile.
  suspect: string | undefined
  readonly #forkedAt = performance.now()
  // The time of the last sign of work: an answer, or, while the child starts, a report of progress.
  #lastSign = performance.now()
  #timer: NodeJS.Timeout | undefined
  // How long a child that is not ready may be silent, and the words for it.
  #patience: { readonly ms: number; readonly why: string }
  #expected = false
  #gone = false

  constructor(options: ChildOptions) {
    super()
    this.#options = options
    const { startTimeout } = options
    const why = `while starting, it gave no sign of progress for ${startTimeout} ms (startTimeout)`
    this.#patience = { ms: startTimeout, why }
    this.#forked = forkChild()
    this.#listen()
    const { name, pipeline, maxBatch, maxBatchMs, prepareTimeout, maxGrowth } = options
    this.#post({
      kind: 'start',
      name,
      pipeline,
      options: options.options,
      maxBatch,
      maxBatchMs,
      prepareTimeout,
      maxGrowth,
    })
    this.#watch()
  }

  get pid(): number | undefined {
    return this.#forked.pid
  }

  get ready(): boolean {
    return this.methods !== undefined && !this.#gone && this.failure === undefined
  }

  /** Why this child is gone, as the error of the calls that it held. */
  get lossError(): Error {
    const { error, code = 'ERR_CHILD_EXIT', message = 'The child died.' } = this.failure ?? {}
    return error ? new ChildError(error) : new BrokerError(code, message)
  }

  /**
   * Asks a ready child whether it is still there. The child is not ready until it has answered: a child that has just been
   * killed looks alive until its exit is reported, and would cost each call one of two tries.
   */
  wake(): void {
    this.methods = undefined
    this.#patience = { ms: WAKE_WITHIN_MS, why: `as a spare, it did not answer within ${WAKE_WITHIN_MS} ms` }
    this.#lastSign = performance.now()
    this.#post({ kind: 'ping' })
    this.#watch()
  }

  /** Throws when an input cannot be cloned; then none of the calls is sent. */
  send(calls: readonly (Sent & { method: string; input: unknown })[]): void {
    const messages = calls.map(
      ({ key, method, input }): CallMessage => ({ kind: 'call', key, method, args: [input] }),
    )
    const [first] = messages
    this.#post(first && messages.length === 1 ? first : { kind: 'calls', calls: messages })
    const now = performance.now()
    if (this.held.size === 0) this.#lastSign = now
    for (const call of calls) {
      call.sentAt = now
      this.held.set(call.key, call)
    }
    this.#watch()
  }

  cancel(keys: string[]): void {
    this.#post({ kind: 'cancel', keys })
  }

  /** Asks the child to close its pipeline and exit, and kills the child when that takes too long. */
  async end(): Promise<void> {
    if (this.#gone) return
    this.#expected = true
    const exited = new Promise<void>((resolve) => this.once('exit', () => resolve()))
    if (this.ready && this.#forked.connected) {
      this.#post({ kind: 'close' })
      const timer = setTimeout(() => this.#forked.kill('SIGKILL'), KILL_AFTER_MS)
      await exited
      clearTimeout(timer)
      return
    }
    this.#forked.kill('SIGKILL')
    await exited
  }

  /** Kills the child. `failure` becomes the error of the calls that the child holds. */
  kill(failure?: { code: BrokerErrorCode; message: string }): void {
    if (failure) {
      this.failure ??= failure
      this.condemned = true
    } else {
      this.#expected = true
    }
    this.#forked.kill('SIGKILL')
  }

  #listen(): void {
    const forked = this.#forked
    guardChannel(forked, this.#options.maxMessageBytes, (why) =>
      this.kill({
        code: 'ERR_PROTOCOL',
        message: `The child wrote bytes into the pipe that are no message: ${why}`,
      }),
    )
    forked.on('message', (message: unknown) => {
      if (isFromChild(message)) return this.#receive(message)
      this.kill({
        code: 'ERR_PROTOCOL',
        message: `The child sent a message of an unknown kind, or with more than ${MAX_PLACES} values.`,
      })
    })
    for (const stream of ['stdout', 'stderr'] as const) {
      // When the system is out of file descriptors there are no streams; the error event follows a tick later.
      const output = forked[stream]
      if (output) readLines(output, (line) => this.emit('log', { stream, line }))
    }
    // An exit event follows an error, except when no process could be started: then #exit is called here.
    forked.on('error', (error) => {
      this.failure ??= { code: 'ERR_CHILD_EXIT', message: `The child could not be run: ${error.message}` }
      if (forked.pid === undefined) this.#exit(null, null)
    })
    forked.on('disconnect', () => {
      // A child without a pipe can answer nothing more.
      if (forked.exitCode === null && forked.signalCode === null)
        setTimeout(() => forked.kill('SIGKILL'), LAST_ANSWERS_MS)
    })
    forked.on('exit', (exitCode, signal) => {
      if (!forked.connected) return this.#exit(exitCode, signal)
      const done = () => {
        clearTimeout(timer)
        this.#exit(exitCode, signal)
      }
      const timer = setTimeout(done, LAST_ANSWERS_MS)
      forked.once('disconnect', done)
    })
  }

  #receive(message: FromChild): void {
    if (this.failure) return
    if (message.kind === 'condemned') {
      this.culprits = message.keys
      this.kill({ code: message.code, message: message.message })
      return
    }
    // A ready child shows work by answers alone: other messages are ignored and do not count as a sign of work.
    const isStartup = message.kind === 'progress' || message.kind === 'ready' || message.kind === 'failed'
    if (isStartup === (this.methods !== undefined)) return
    this.#lastSign = performance.now()
    switch (message.kind) {
      case 'progress':
        this.progress = { fraction: message.fraction, word: message.word }
        this.emit('progress', this.progress)
        return
      case 'ready':
        this.methods = new Set(message.methods)
        this.info = message.info
        this.watch = message.watch
        this.startMs ??= performance.now() - this.#forkedAt
        // From now on hangTimeout counts instead of startTimeout.
        clearTimeout(this.#timer)
        this.#timer = undefined
        this.emit('ready')
        return
      case 'failed':
        this.failure = { code: 'ERR_PIPELINE', message: message.error.message, error: message.error }
        return
      case 'result':
      case 'failure':
        this.emit('answers', [message])
        return
      case 'answers':
        this.emit('answers', message.answers)
    }
  }

  #exit(exitCode: number | null, signal: NodeJS.Signals | null): void {
    if (this.#gone) return
    this.#gone = true
    clearTimeout(this.#timer)
    if (!this.#expected) {
      const how = signal ? `was killed by ${signal}` : `exited with code ${exitCode}`
      const when = this.methods ? '' : ' before it was ready'
      this.failure ??= { code: 'ERR_CHILD_EXIT', message: `The child ${how}${when}.` }
    }
    this.emit('exit', { exitCode, signal, expected: this.#expected })
    setTimeout(() => this.#letGo(), LAST_ANSWERS_MS).unref()
  }

  /** Closes the pipes: a process that the pipeline has started may keep their other ends open for ever. */
  #letGo(): void {
    if (this.#forked.connected) this.#forked.disconnect()
    this.#forked.stdout?.destroy()
    this.#forked.stderr?.destroy()
  }

  /** Sets the one timer to the earliest moment at which the child would have been silent for too long. */
  #watch(): void {
    if (this.#timer || this.#gone) return
    const due = this.#due()
    if (due === undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        const late = this.#due()
        if (late === undefined || performance.now() < late) return this.#watch()
        const hangs = `it gave no answer for ${this.#options.hangTimeout} ms (hangTimeout)`
        const why = this.methods ? hangs : this.#patience.why
        this.kill({ code: 'ERR_CHILD_EXIT', message: `The child was killed: ${why}.` })
      },
      due - performance.now() + 1,
    )
    this.#timer.unref()
  }

  #due(): number | undefined {
    if (!this.methods) return this.#lastSign + this.#patience.ms
    const oldest = this.held.values().next().value
    if (!oldest) return undefined
    const { hangTimeout } = this.#options
    return Math.min(this.#lastSign + hangTimeout, oldest.sentAt + hangTimeout * HELD_HANGS)
  }

  #post(message: ToChild): void {
    // A closed channel means that the child is gone and its exit event follows.
    if (this.#forked.connected) this.#forked.send(message, ignoreClosedPipe)
  }
}

/** When the child dies during a send, the exit event reports the death with its cause. */
function ignoreClosedPipe(): void {}

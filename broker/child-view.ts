import type { ChildProcess as Forked } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { forkChild } from './fork-child.ts'
import { guardChannel } from './guard-channel.ts'
import { type CallAnswer, type CallMessage, type FromChild, isFromChild, type ToChild } from './messages.ts'
import type { ProgressReport } from './pipeline.ts'
import { readLines } from './read-lines.ts'

/** A call that the child holds: sent, and neither answered nor lost yet. */
export interface Sent {
  readonly key: string
  sentAt: number
}

export interface ChildOptions {
  name: string
  pipeline: string
  options: unknown
  maxBatch: number
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

// A child that was asked to end in peace gets this long for it.
const KILL_AFTER_MS = 2_000
// The exit of a child is known before its last answers are read; what was in the pipe gets this long to arrive.
const LAST_ANSWERS_MS = 250
// A call waits in the child for the batch before its own and for its own preparation, and a failing batch is run in
// halves. One that is held for this many hang timeouts has a preparation that never returns.
const HELD_HANGS = 4

/** The parent's view of one child: fork, ready, send, exit, kill. It lives as long as the process does, no longer. */
export class ChildView extends EventEmitter<ChildEvents> {
  readonly #forked: Forked
  readonly #options: ChildOptions
  // Set once, by the message that says so; undefined until then.
  methods: ReadonlySet<string> | undefined
  info: unknown
  progress: ProgressReport | undefined
  /** Why this child is to die or could not start, in its own words or in ours; the exit event comes after it. */
  failure:
    | { code: string; message: string; error?: Extract<FromChild, { kind: 'failed' }>['error'] }
    | undefined
  // True once this child was killed by ourselves, because it was silent for too long or wrote garbage.
  condemned = false
  // What this child holds, by key, the oldest first: the broker bounds how many.
  readonly held = new Map<string, Sent>()
  // The key of the call that this child tries a second time, alone; nothing else is sent beside it.
  suspect: string | undefined
  // When something last came that shows the child at work: an answer, or while it starts a report of progress.
  #lastSign = performance.now()
  #timer: NodeJS.Timeout | undefined
  #expected = false
  #gone = false

  constructor(options: ChildOptions) {
    super()
    this.#options = options
    this.#forked = forkChild()
    this.#listen()
    const { name, pipeline, maxBatch } = options
    this.#post({ kind: 'start', name, pipeline, options: options.options, maxBatch })
    this.#watch()
  }

  get pid(): number | undefined {
    return this.#forked.pid
  }

  get ready(): boolean {
    return this.methods !== undefined && !this.#gone && this.failure === undefined
  }

  /** Throws, and holds nothing, when an input cannot be cloned. */
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

  /** Ends the child in peace: it closes its pipeline and exits, or is killed when that takes too long. */
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

  /** Ends the child at once. `failure` is what the calls that it held are told. */
  kill(failure?: { code: string; message: string }): void {
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
        message: `The child wrote something into the pipe that is no message: ${why}`,
      }),
    )
    forked.on('message', (message: unknown) => {
      if (isFromChild(message)) return this.#receive(message)
      this.kill({ code: 'ERR_PROTOCOL', message: 'The child sent a message of an unknown kind.' })
    })
    for (const stream of ['stdout', 'stderr'] as const) {
      // Where the system is out of file descriptors there are no streams, and the error comes a tick later.
      const output = forked[stream]
      if (output) readLines(output, (line) => this.emit('log', { stream, line }))
    }
    // Its own error is followed by the exit, or there never was a process, and then this stands for the exit.
    forked.on('error', (error) => {
      this.failure ??= { code: 'ERR_CHILD_EXIT', message: `The child could not be run: ${error.message}` }
      if (forked.pid === undefined) this.#exit(null, null)
    })
    forked.on('disconnect', () => {
      // A pipeline that closed the pipe under itself is of no more use.
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
    // Once ready, only an answer shows that there is work being done; whatever else comes is not listened to.
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
        // From now on it is answers that are waited for, on another clock.
        clearTimeout(this.#timer)
        this.#timer = undefined
        this.emit('ready')
        return
      case 'failed':
        this.failure = { code: message.error.code, message: message.error.message, error: message.error }
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

  /** A process that the pipeline started may hold the other ends of the pipes for ever. */
  #letGo(): void {
    if (this.#forked.connected) this.#forked.disconnect()
    this.#forked.stdout?.destroy()
    this.#forked.stderr?.destroy()
  }

  /** One timer for the child, set anew to the earliest moment at which it would have been silent for too long. */
  #watch(): void {
    if (this.#timer || this.#gone) return
    const due = this.#due()
    if (due === undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        const late = this.#due()
        if (late === undefined || performance.now() < late) return this.#watch()
        const { hangTimeout, startTimeout } = this.#options
        const message = this.methods
          ? `The child was killed: it gave no answer for ${hangTimeout} ms (hangTimeout).`
          : `The child was killed: it gave no sign of progress for ${startTimeout} ms while starting (startTimeout).`
        this.kill({ code: 'ERR_CHILD_EXIT', message })
      },
      due - performance.now() + 1,
    )
    this.#timer.unref()
  }

  #due(): number | undefined {
    if (!this.methods) return this.#lastSign + this.#options.startTimeout
    const oldest = this.held.values().next().value
    if (!oldest) return undefined
    const { hangTimeout } = this.#options
    return Math.min(this.#lastSign + hangTimeout, oldest.sentAt + hangTimeout * HELD_HANGS)
  }

  #post(message: ToChild): void {
    // Without a channel there is no child, or none any more: its exit is on the way.
    if (this.#forked.connected) this.#forked.send(message, ignoreClosedPipe)
  }
}

/** A child that dies under a message is told by its exit, which knows more. */
function ignoreClosedPipe(): void {}

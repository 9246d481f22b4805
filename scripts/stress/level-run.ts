import { setMaxListeners } from 'node:events'
import type { Recorder } from './recorder.ts'
import type { Route } from './scenario.ts'
import type { Sender } from './sender.ts'

/** What a request is counted as that the tester has no connection left for. */
export const NOT_SENT = 'ERR_TESTER_FULL'

/** One level while it runs: what its users and its arrivals have in common. */
export class LevelRun {
  /** On the clock of performance.now(): no request begins after it. */
  readonly end: number
  /** Ends the level early. */
  readonly signal: AbortSignal
  readonly recorder: Recorder
  readonly #sender: Sender

  constructor(sender: Sender, recorder: Recorder, end: number, signal: AbortSignal) {
    // Each request and each pause listens for it.
    setMaxListeners(0, signal)
    this.#sender = sender
    this.recorder = recorder
    this.end = end
    this.signal = signal
  }

  /** Sends a request, and records it with its latency since `from`. */
  async request(route: Route, from: number): Promise<void> {
    this.recorder.began(route)
    const outcome = await this.#sender.send(route, this.signal)
    this.recorder.ended(route, outcome, performance.now() - from)
  }

  /** Records a request that was due but could not be sent: it counts as failed. */
  notSent(route: Route): void {
    this.recorder.began(route)
    this.recorder.ended(route, NOT_SENT, 0)
  }
}

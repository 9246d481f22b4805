import type { ChildView } from './child-view.ts'
import type { Call } from './pending.ts'
import { Queue } from './queue.ts'

// A child predicts one batch while it prepares the next, and never holds more than two.
const BATCHES_IN_CHILD = 2

/** Holds the waiting calls in order and decides which child gets which, and when. */
export class Scheduler {
  readonly #maxBatch: number
  readonly #waiting = new Queue<Call>()
  // Calls that a child held when it died. Any of them may have killed the child, so each is retried once, alone. They
  // go before the waiting calls, because they are older.
  readonly #suspects = new Queue<Call>()

  constructor(maxBatch: number) {
    this.#maxBatch = maxBatch
  }

  /** The number of calls that one child may hold. */
  get room(): number {
    return this.#maxBatch * BATCHES_IN_CHILD
  }

  get size(): number {
    return this.#waiting.size + this.#suspects.size
  }

  get bytes(): number {
    return this.#waiting.bytes + this.#suspects.bytes
  }

  /** The calls that count towards the limits. A retried call does not: it was accepted before and must not be refused. */
  get waiting(): { calls: number; bytes: number } {
    return { calls: this.#waiting.size, bytes: this.#waiting.bytes }
  }

  /** The keys of all waiting calls, in the order in which they will be sent. */
  *keys(): Iterable<string> {
    yield* this.#suspects.keys()
    yield* this.#waiting.keys()
  }

  add(call: Call): void {
    this.#waiting.push(call)
  }

  retry(call: Call): void {
    this.#suspects.push(call)
  }

  remove(key: string): boolean {
    return this.#waiting.remove(key) || this.#suspects.remove(key)
  }

  /** Takes as many calls out of the queue as the children have room for. Returns the calls for each child. */
  assign(children: readonly ChildView[]): Map<ChildView, Call[]> {
    const plan = new Map<ChildView, Call[]>()
    let open = children.filter((child) => child.suspect === undefined)
    if (this.#suspects.size > 0 && open.length === children.length) {
      // The least loaded child gets no new call until it is empty, and then one suspect after another.
      const chosen = least(open, plan)
      if (chosen?.held.size === 0) this.#assignSuspect(chosen, plan)
      open = open.filter((child) => child !== chosen)
    }
    while (this.#waiting.size > 0) {
      const child = least(open, plan)
      if (!child || load(child, plan) >= this.room) break
      const call = this.#waiting.shift()
      if (call) give(child, call, plan)
    }
    return plan
  }

  #assignSuspect(child: ChildView, plan: Map<ChildView, Call[]>): void {
    const call = this.#suspects.shift()
    if (!call) return
    child.suspect = call.key
    give(child, call, plan)
  }
}

function give(child: ChildView, call: Call, plan: Map<ChildView, Call[]>): void {
  const calls = plan.get(child)
  if (calls) calls.push(call)
  else plan.set(child, [call])
}

function least(children: readonly ChildView[], plan: Map<ChildView, Call[]>): ChildView | undefined {
  let best: ChildView | undefined
  for (const child of children) if (!best || load(child, plan) < load(best, plan)) best = child
  return best
}

function load(child: ChildView, plan: Map<ChildView, Call[]>): number {
  return child.held.size + (plan.get(child)?.length ?? 0)
}

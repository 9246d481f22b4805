import { tell } from './pending.ts'

type Listener = (position: number) => void

/** Tells each caller that has asked for it the call's place in the queue. Costs nothing while no caller has. */
export class Positions {
  // Pending calls only; `position` is the last one told, or -1 before the first.
  readonly #watched = new Map<string, { listener: Listener; position: number }>()

  watch(key: string, listener: Listener): void {
    this.#watched.set(key, { listener, position: -1 })
  }

  forget(key: string): void {
    this.#watched.delete(key)
  }

  /** A watched call that is not in the queue is in a child: position 0. */
  tell(queue: { keys(): Iterable<string> }): void {
    if (this.#watched.size === 0) return
    const places = new Map([...queue.keys()].map((key, index) => [key, index + 1]))
    for (const [key, watched] of this.#watched) {
      const position = places.get(key) ?? 0
      if (position === watched.position) continue
      watched.position = position
      tell(() => watched.listener(position))
    }
  }
}

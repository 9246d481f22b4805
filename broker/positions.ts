import { tell } from './pending.ts'

type Listener = (position: number) => void

/** Tells callers that want to know it how far they have come in the queue. Costs nothing where nobody does. */
export class Positions {
  // Only calls that are pending; the position is the last one told, and -1 before the first.
  readonly #watched = new Map<string, { listener: Listener; position: number }>()

  watch(key: string, listener: Listener): void {
    this.#watched.set(key, { listener, position: -1 })
  }

  forget(key: string): void {
    this.#watched.delete(key)
  }

  /** What is watched and not in the queue is with a child. */
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

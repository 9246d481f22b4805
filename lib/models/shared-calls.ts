interface Shared<Value> {
  readonly promise: Promise<Value>
  readonly controller: AbortController
  readonly listeners: Set<(position: number) => void>
  users: number
}

/** What a computation that several wait for is given. */
export interface SharedWork {
  /** fires when the last of those who wait has gone */
  readonly signal: AbortSignal
  tell(position: number): void
}

export interface Waiting {
  readonly signal: AbortSignal
  readonly onPosition?: ((position: number) => void) | undefined
}

/** The same work that is asked for while it is being done is done once; it is given up when nobody waits any more. */
export class SharedCalls<Value> {
  // Only what is in flight: each entry leaves with its promise.
  readonly #inFlight = new Map<string, Shared<Value>>()

  has(key: string): boolean {
    return this.#inFlight.has(key)
  }

  async run(key: string, waiting: Waiting, work: (shared: SharedWork) => Promise<Value>): Promise<Value> {
    waiting.signal.throwIfAborted()
    const shared = this.#inFlight.get(key) ?? this.#begin(key, work)
    return this.#join(key, shared, waiting)
  }

  #begin(key: string, work: (shared: SharedWork) => Promise<Value>): Shared<Value> {
    const controller = new AbortController()
    const listeners = new Set<(position: number) => void>()
    const tell = (position: number) => {
      for (const listener of listeners) listener(position)
    }
    const promise = work({ signal: controller.signal, tell }).finally(() => this.#leave(key, shared))
    const shared: Shared<Value> = { promise, controller, listeners, users: 0 }
    this.#inFlight.set(key, shared)
    return shared
  }

  async #join(key: string, shared: Shared<Value>, { signal, onPosition }: Waiting): Promise<Value> {
    shared.users++
    if (onPosition) shared.listeners.add(onPosition)
    const gone = abortion(signal)
    try {
      return await Promise.race([shared.promise, gone.promise])
    } finally {
      gone.forget()
      if (onPosition) shared.listeners.delete(onPosition)
      shared.users--
      if (shared.users === 0) {
        // Nobody may join what is being given up.
        this.#leave(key, shared)
        shared.controller.abort(signal.reason)
      }
    }
  }

  #leave(key: string, shared: Shared<Value>): void {
    if (this.#inFlight.get(key) === shared) this.#inFlight.delete(key)
  }
}

/** A promise that rejects when the signal fires, and lets go of the signal when it is no longer needed. */
function abortion(signal: AbortSignal): { promise: Promise<never>; forget(): void } {
  let forget = () => {}
  const promise = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    forget = () => signal.removeEventListener('abort', onAbort)
  })
  return { promise, forget }
}

interface Shared<Value> {
  readonly promise: Promise<Value>
  readonly controller: AbortController
  readonly listeners: Set<(position: number) => void>
  users: number
}

/** What a shared computation is given. */
export interface SharedWork {
  /** aborted when the last waiting caller has left */
  readonly signal: AbortSignal
  tell(position: number): void
}

export interface Waiting {
  readonly signal: AbortSignal
  readonly onPosition?: ((position: number) => void) | undefined
}

/** Callers that ask for the same work at the same time share it. The work is aborted when no caller waits any more. */
export class SharedCalls<Value> {
  // Work in flight: each entry is removed when its promise settles.
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
    const gone = whenAborted(signal)
    try {
      return await Promise.race([shared.promise, gone.promise])
    } finally {
      gone.forget()
      if (onPosition) shared.listeners.delete(onPosition)
      shared.users--
      if (shared.users === 0) {
        // A new caller must not join work that is being aborted.
        this.#leave(key, shared)
        shared.controller.abort(signal.reason)
      }
    }
  }

  #leave(key: string, shared: Shared<Value>): void {
    if (this.#inFlight.get(key) === shared) this.#inFlight.delete(key)
  }
}

/** A promise that rejects when the signal is aborted. `forget` removes the listener from the signal. */
function whenAborted(signal: AbortSignal): { promise: Promise<never>; forget(): void } {
  let forget = () => {}
  const promise = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    forget = () => signal.removeEventListener('abort', onAbort)
  })
  return { promise, forget }
}

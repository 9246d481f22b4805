import type { Broker } from '../../broker/broker.ts'

/** What a page shows of a model before anything has been asked of it. */
export interface ModelState {
  readonly name: string
  readonly state: string
  readonly device: string | undefined
  /** while it loads; null before the first word of it */
  readonly progress: { readonly fraction: number; readonly word: string } | null
  readonly error: { readonly code: string; readonly message: string } | null
}

export type Brokers = ReadonlyMap<string, Broker>

export function modelStates(brokers: Brokers): ModelState[] {
  return [...brokers.keys()].map((name) => modelState(brokers, name))
}

export function modelState(brokers: Brokers, name: string): ModelState {
  const stats = brokers.get(name)?.stats()
  if (stats === undefined) return { name, state: 'unknown', device: undefined, progress: null, error: null }
  const { state, progress, error, info } = stats
  return { name, state, progress, error, device: deviceOf(info) }
}

function deviceOf(info: unknown): string | undefined {
  if (typeof info !== 'object' || info === null || !('device' in info)) return undefined
  return typeof info.device === 'string' ? info.device : undefined
}

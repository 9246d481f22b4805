import type { CodedError } from './tandem.ts'

/** The same error, with the code ERR_INTERNAL if it has none. */
export function coded(error: unknown): CodedError {
  if (!(error instanceof Error)) return Object.assign(new Error(String(error)), { code: 'ERR_INTERNAL' })
  if ('code' in error && typeof error.code === 'string') return error as CodedError
  return Object.assign(new Error(error.message, { cause: error }), { code: 'ERR_INTERNAL' })
}

import { HttpError } from '../http/errors.ts'

/** ERR_FEEDBACK_FULL also names a full disk: for the client, both mean that there is no room. */
const NO_ROOM = ['ENOSPC', 'EDQUOT']
/** Codes of the file system. Tandem's own codes begin with ERR_. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/

/**
 * An error of the file system as the client may see it. The message has no path of the server; the cause has the path,
 * for the log. Any other value is returned unchanged.
 */
export function asStorageError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (!SYSTEM_CODE.test(code)) return error
  const shown = NO_ROOM.includes(code)
    ? new HttpError(
        'ERR_FEEDBACK_FULL',
        'The disk for feedback is full; no more reports are recorded for now.',
      )
    : new HttpError(
        'ERR_FEEDBACK_UNWRITABLE',
        'The service cannot write to its folder for feedback; no reports are recorded for now.',
      )
  return Object.assign(shown, { cause: error })
}

/** Warns once for each reason why nothing is stored. `reset` is for a success, after which each reason is news again. */
export function warnOnce(warn: (error: HttpError) => void) {
  const known = new Set<string>()
  return {
    problem(error: unknown): void {
      if (!(error instanceof HttpError) || !error.code.startsWith('ERR_FEEDBACK_')) return
      const { cause } = error
      const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : error.code
      if (known.has(reason)) return
      known.add(reason)
      warn(error)
    },
    reset: () => known.clear(),
  }
}

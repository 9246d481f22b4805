import { HttpError } from '../http/errors.ts'

export interface Turns {
  /** `bytes` is what the job holds in memory while it waits. */
  take<T>(bytes: number, job: () => Promise<T>): Promise<T>
  /** resolves when nothing waits and nothing runs */
  idle(): Promise<void>
}

/** How much may wait for a disk that has become slow or hangs. */
const MAX_WAITING_BYTES = 64 * 2 ** 20
/** The least that a job counts, so that at most a thousand small jobs wait. */
const JOB_BYTES = 64 * 2 ** 10

/** Runs jobs one after another, in the order of their arrival. */
export function createTurns(): Turns {
  let waitingBytes = 0
  let last: Promise<unknown> = Promise.resolve()
  return {
    async take(bytes, job) {
      if (waitingBytes >= MAX_WAITING_BYTES) {
        throw new HttpError('ERR_QUEUE_FULL', 'Too many reports are waiting to be written.')
      }
      const held = Math.max(bytes, JOB_BYTES)
      waitingBytes += held
      const done = last.then(job).finally(() => {
        waitingBytes -= held
      })
      last = done.catch(() => undefined)
      return done
    },
    async idle() {
      let seen: unknown
      while (seen !== last) {
        seen = last
        await last
      }
    },
  }
}

import { HttpError } from '../http/errors.ts'

export interface Turns {
  /** `bytes` is what the job holds in memory while it waits. */
  take<T>(bytes: number, job: () => Promise<T>): Promise<T>
  /** resolves when nothing waits and nothing runs */
  idle(): Promise<void>
}

/** What may wait for a disk that has become slow, or does not answer at all. */
const MAX_WAITING_BYTES = 64 * 2 ** 20
/** A thousand jobs are enough, however small they are. */
const JOB_BYTES = 64 * 2 ** 10

/** Jobs one after another, in the order in which they came. */
export function createTurns(): Turns {
  let waitingBytes = 0
  let last: Promise<unknown> = Promise.resolve()
  return {
    async take(bytes, job) {
      if (waitingBytes >= MAX_WAITING_BYTES) {
        throw new HttpError('ERR_QUEUE_FULL', 'Too much feedback waits to be written.')
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

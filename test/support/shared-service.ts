import type { Exit } from './service.ts'

interface Stoppable {
  stop(): Promise<Exit>
}

/**
 * One service for all suites that ask for it: it starts with the first of them and ends with the last. What is returned
 * is called inside of `describe`; the running service is what that in turn gives, inside of a test.
 */
export function sharedBetweenSuites<Running extends Stoppable>(
  start: () => Promise<Running>,
): () => () => Running {
  let suites = 0
  let started: Promise<Running> | undefined
  return () => {
    let running: Running | undefined
    suites++
    before(async function () {
      this.timeout(30_000)
      started ??= start()
      running = await started
    })
    after(async () => {
      if (--suites > 0) return
      await running?.stop()
      started = undefined
    })
    return () => {
      if (running === undefined) throw new Error('the service is there only inside of tests')
      return running
    }
  }
}

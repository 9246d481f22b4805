import { closeAfterRun } from './leftovers.ts'

/** Long, since the first start of a service compiles its models. */
const START_WITHIN_MS = 60_000

interface Stoppable {
  stop(): Promise<unknown>
}

/**
 * One service, or one browser, for all suites of a process: started by the first suite that needs it, and stopped after
 * the last test of the run. Call the result inside `describe`, and the function that it returns inside a test.
 */
export function sharedBetweenSuites<Running extends Stoppable>(
  start: () => Promise<Running>,
): () => () => Running {
  let started: Promise<Running> | undefined
  return () => {
    let running: Running | undefined
    before(async function () {
      this.timeout(START_WITHIN_MS)
      started ??= startOnce(start)
      running = await started
    })
    return () => {
      if (running === undefined) throw new Error('what suites share is there only inside of tests')
      return running
    }
  }
}

async function startOnce<Running extends Stoppable>(start: () => Promise<Running>): Promise<Running> {
  const running = await start()
  closeAfterRun(() => running.stop())
  return running
}

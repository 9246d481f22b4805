import { closeAfterRun } from './leftovers.ts'

/** A service's first start compiles its models. */
const START_WITHIN_MS = 60_000

interface Stoppable {
  stop(): Promise<unknown>
}

/**
 * One service, or one browser, for all suites of a process: it starts with the first suite that asks for it, and stops
 * after the last test of the run, whichever suites ran. The result is called inside of `describe`; what that returns is
 * called inside of a test.
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

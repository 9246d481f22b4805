import { closeBrokers } from './broker.ts'
import { closeLeftovers, killProcessesIn } from './leftovers.ts'
import { temporaryRoot } from './temporary-folder.ts'

/** What may still be on its way when the last test is over. */
const END_WITHIN_MS = 10_000

// Every process that a test starts keeps its files below one folder, and is known by it.
const root = temporaryRoot()
process.env.TMPDIR = root
// Prepended: the folder can be removed only when no process writes into it any more.
process.prependListener('exit', () => killProcessesIn(root))

// Without listeners, a signal would end the process and skip its listeners for the exit.
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const
for (const [signal, number] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(128 + number))

export const mochaHooks = {
  afterEach: closeBrokers,

  async afterAll(this: Mocha.Context) {
    this.timeout(60_000)
    // Of a suite whose hook has failed no test ends.
    await closeBrokers()
    await closeLeftovers()
    setTimeout(endByForce, END_WITHIN_MS).unref()
  },
}

/** A run that does not end by itself has failed, even where each of its tests has passed. */
function endByForce(): void {
  const resources = process.getActiveResourcesInfo().join(', ')
  console.error(`The tests are over, but the process does not end. What is still open: ${resources}`)
  // Later than Mocha's own listener, which sets the exit code to the number of failed tests.
  process.on('exit', () => {
    process.exitCode = 1
  })
  process.exit()
}

import { closeBrokers } from './broker.ts'
import { closeLeftovers, killProcessesIn } from './leftovers.ts'
import { temporaryRoot } from './temporary-folder.ts'

/** The time for work that is still in progress when the last test ends. */
const END_WITHIN_MS = 10_000

// Every process that a test starts has its temporary files below this folder, and is recognised by the folder.
const root = temporaryRoot()
process.env.TMPDIR = root
// Prepended, to run before the listener that removes the folder, into which the processes still write.
process.prependListener('exit', () => killProcessesIn(root))

// Without these listeners, a signal would end the process without its `exit` listeners.
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const
for (const [signal, number] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(128 + number))

export const mochaHooks = {
  afterEach: closeBrokers,

  async afterAll(this: Mocha.Context) {
    this.timeout(60_000)
    // Needed after a failed hook, which skips `afterEach`.
    await closeBrokers()
    await closeLeftovers()
    setTimeout(endByForce, END_WITHIN_MS).unref()
  },
}

/** A run that does not end by itself counts as failed, even if all tests have passed. */
function endByForce(): void {
  const resources = process.getActiveResourcesInfo().join(', ')
  console.error(`The tests are over, but the process does not end. What is still open: ${resources}`)
  // Later than Mocha's own listener, which sets the exit code to the number of failed tests.
  process.on('exit', () => {
    process.exitCode = 1
  })
  process.exit()
}

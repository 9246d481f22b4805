import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { BrokerError } from './errors.ts'

const CHILD = new URL(
  import.meta.url.endsWith('.ts') ? './child/entry.ts' : './child/entry.js',
  import.meta.url,
)

// A pipeline may use a broker of its own. A pipeline that starts a broker on itself would fork without end.
const MAX_NESTING = 2

// Flags for the parent alone: the debugger, whose port cannot be shared, and code on the command line, which each child
// would run again, including the broker.
const NOT_INHERITED =
  /^(--inspect|--eval|--print|--input-type|--watch|--test|--check|--interactive|-(e|p|pe|c|i)$)/
const WITH_VALUE = /^(--eval|--print|-e|-p|-pe)$/

// A young generation of a fixed size. By default, V8 enlarges it while it is used, by steps over an hour and by more than
// 30 MiB, which nobody can tell from a leak. What a child allocates in great numbers, buffers, is outside of it.
const YOUNG_GENERATION = ['--min-semi-space-size=4', '--max-semi-space-size=4']

export function forkChild(): ChildProcess {
  const depth = nesting()
  if (depth >= MAX_NESTING) {
    const message = `Brokers are nested ${depth} deep: a pipeline's module must not start a broker on itself.`
    throw new BrokerError('ERR_OPTION', message)
  }
  const child = fork(CHILD, [String(depth + 1)], {
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: childFlags(process.execArgv),
    // In a group of its own: a Ctrl-C in the terminal would end a child that still loads its code, and whatever it has
    // forked itself. On Windows this would open a window.
    detached: process.platform !== 'win32',
  })
  // Node's listeners for passing handles are not needed, and they throw if a message is not what it claims to be: a
  // child that forges such a message would end the parent.
  child.removeAllListeners('internalMessage')
  return child
}

/** A flag of the parent stands behind ours, so it takes precedence. */
export function childFlags(flags: readonly string[]): string[] {
  const inherited = flags.filter(
    (flag, at) => !NOT_INHERITED.test(flag) && !WITH_VALUE.test(flags[at - 1] ?? ''),
  )
  return [...YOUNG_GENERATION, ...inherited]
}

/** How many brokers are above this process; a child reads the number from its arguments. */
function nesting(): number {
  return process.argv[1] === fileURLToPath(CHILD) ? Number(process.argv[2]) : 0
}

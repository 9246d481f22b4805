import { readFileSync } from 'node:fs'

/** The import of all modules needs about 90, because it opens many files at the same time. */
const MIN_DESCRIPTORS = 256
/** For modules, the log, files of weights and feedback, and DNS. */
const OWN = 96
/** Two streams, the pipe for messages, and one in reserve while a new child replaces an old one. */
const PER_CHILD = 4

/** How many files and sockets this process may have open; Infinity if the system does not tell. */
export function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  } catch (error) {
    return isOutOfDescriptors(error) ? 0 : Number.POSITIVE_INFINITY
  }
}

/** Ends the process with one sentence and status 1 if there are too few descriptors to load the code. */
export function mustHaveDescriptors(): void {
  const limit = descriptorLimit()
  if (limit >= MIN_DESCRIPTORS) return
  process.stderr.write(
    `Tandem needs at least ${MIN_DESCRIPTORS} file descriptors, but the limit is ${limit}; raise it with "ulimit -n".\n`,
  )
  process.exit(1)
}

/** The number of connections that leaves enough descriptors for everything else. */
export function mostConnections(children: number, downloads: number): number {
  return Math.max(1, descriptorLimit() - OWN - PER_CHILD * children - downloads)
}

function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE')
}

import { readFileSync } from 'node:fs'

/** The import of all modules needs about 90, because it opens many files at the same time. */
const MIN_DESCRIPTORS = 256
/** For modules, the log, files of weights and feedback, and sockets of the system library. */
const OWN = 96
/** Two streams, the pipe of messages, and one to spare while a child replaces another. */
const PER_CHILD = 4

/** How many files and sockets the system lets this process open; Infinity where the system does not say. */
export function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  } catch (error) {
    return isOutOfDescriptors(error) ? 0 : Number.POSITIVE_INFINITY
  }
}

/** Ends the process with one sentence and status 1 where it could not even load its code. */
export function mustHaveDescriptors(): void {
  const limit = descriptorLimit()
  if (limit >= MIN_DESCRIPTORS) return
  process.stderr.write(
    `Tandem needs at least ${MIN_DESCRIPTORS} file descriptors, but the limit is ${limit}; raise it with "ulimit -n".\n`,
  )
  process.exit(1)
}

/** How many connections leave enough descriptors for everything else. */
export function mostConnections(children: number, downloads: number): number {
  return Math.max(1, descriptorLimit() - OWN - PER_CHILD * children - downloads)
}

function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE')
}

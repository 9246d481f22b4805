import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** Where `npm test` has compiled the service and the pipelines of the tests to. */
const BUILT = process.env.TANDEM_TEST_BUILD

/** A source file as a process of its own loads it: compiled where that has been done, which halves the time of a start. */
export function programFile(source: string): string {
  return BUILT === undefined ? join(ROOT, source) : join(BUILT, source.replace(/\.ts$/, '.js'))
}

/** What Node is called with to run a source file. */
export function programArgs(source: string): string[] {
  return BUILT === undefined ? fromSources(source) : [programFile(source)]
}

/** The same as `npm start` does it, whatever has been compiled. */
export function fromSources(source: string): string[] {
  return ['--import', 'tsx', join(ROOT, source)]
}

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
/** The folder into which `npm test` has compiled the service and the pipelines of the tests. */
const BUILT = process.env.TANDEM_TEST_BUILD

/** The path of a source file for a new process: the compiled file if there is one, since it starts twice as fast. */
export function programFile(source: string): string {
  return BUILT === undefined ? join(ROOT, source) : join(BUILT, source.replace(/\.ts$/, '.js'))
}

/** Node's arguments for running a source file. */
export function programArgs(source: string): string[] {
  return BUILT === undefined ? fromSources(source) : [programFile(source)]
}

/** The arguments that `npm start` uses, in any folder, even if the file has been compiled. */
export function fromSources(source: string): string[] {
  return ['--import', TSX, join(ROOT, source)]
}

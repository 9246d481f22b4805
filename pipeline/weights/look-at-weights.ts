import { stat } from 'node:fs/promises'
import { PipelineError } from '../errors.ts'
import { knownMd5 } from './download/checked-file.ts'

interface Version {
  /** Missing where no size is published: then the checksum decides. */
  readonly bytes?: number
  readonly md5?: string
}

/** `settling`: the file was written to so recently that more bytes may come. */
export type Seen = 'absent' | 'settling' | 'whole'

const SETTLED_AFTER_MS = 1000

/**
 * The state of the file at `path`. A file that differs from all published ones is the user's, or an interrupted copy:
 * it is neither served nor replaced, and the error says how it differs.
 */
export async function lookAtWeights(
  path: string,
  entry: Version & { readonly name: string; readonly older?: readonly Version[] },
  signal?: AbortSignal,
): Promise<Seen> {
  const its = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw unfit(path, entry.name, `cannot be read (${error.code})`)
  })
  if (its === undefined) return 'absent'
  if (!its.isFile()) throw unfit(path, entry.name, 'is no file')
  const versions = [entry, ...(entry.older ?? [])].filter(
    ({ bytes }) => bytes === undefined || bytes === its.size,
  )
  const age = Date.now() - its.mtimeMs
  // The age may be just below 0, since a file's time has fractions of a millisecond and the clock's has none. A time
  // far in the future comes from another machine's clock, and must not be waited for.
  const isWarm = Math.abs(age) < SETTLED_AFTER_MS
  if (versions.length === 0) {
    if (isWarm) return 'settling'
    throw unfit(path, entry.name, `has ${its.size} bytes instead of ${entry.bytes}`)
  }
  if (versions.some(({ md5 }) => md5 === undefined)) return isWarm ? 'settling' : 'whole'
  const found = await knownMd5(path, signal)
  if (versions.some(({ md5 }) => md5 === found)) return 'whole'
  if (isWarm) return 'settling'
  const published = versions.map(({ md5 }) => md5).join(' or ')
  throw unfit(path, entry.name, `has the MD5 ${found} instead of ${published}`)
}

function unfit(path: string, model: string, what: string): PipelineError {
  const message =
    `The file ${path} is not the published one: it ${what}. Remove the file to have the published one downloaded; ` +
    `or, if the file is yours, serve it by its path: MODELS=${model}=${path}.`
  return new PipelineError('ERR_MODEL_LOAD', message)
}

import { stat } from 'node:fs/promises'
import { PipelineError } from '../errors.ts'
import { knownMd5 } from './download/checked-file.ts'

interface Version {
  readonly bytes: number
  readonly md5?: string
}

/** `settling`: the file was written to so recently that bytes may be still to come. */
export type Seen = 'absent' | 'settling' | 'whole'

const SETTLED_AFTER_MS = 1000

/**
 * What lies at `path`. A file that is none of the published ones is the user's, or a copy that was interrupted: the file
 * is neither served nor replaced, and the error says how it differs.
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
  const versions = [entry, ...(entry.older ?? [])].filter(({ bytes }) => bytes === its.size)
  const age = Date.now() - its.mtimeMs
  // Just below 0 for what is written at this moment: the time of a file has fractions, that of the clock has none. One from
  // far ahead, of another machine's clock, must not be waited for.
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
    `The file ${path} is not the published one: it ${what}. Remove it, and it is downloaded; ` +
    `or, if it is yours, serve it by its path: MODELS=${model}=${path}.`
  return new PipelineError('ERR_MODEL_LOAD', message)
}

import { stat } from 'node:fs/promises'
import { PipelineError } from '../errors.ts'
import { knownChecksum } from './download/checked-file.ts'
import { type Checksum, checksumOf, checksumWords, type Published } from './download/checksum.ts'

interface Version extends Published {
  /** Missing where no size is published: then the checksum decides. */
  readonly bytes?: number
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
  const published = versions.map(checksumOf)
  const known = published.filter((one) => one !== undefined)
  if (known.length < published.length) return isWarm ? 'settling' : 'whole'
  const differences: string[] = []
  for (const wanted of known) {
    const found = await knownChecksum(path, wanted.algorithm, signal)
    if (found.digest === wanted.digest) return 'whole'
    differences.push(difference(found, wanted))
  }
  if (isWarm) return 'settling'
  throw unfit(path, entry.name, differences.join(' and '))
}

const difference = (found: Checksum, wanted: Checksum): string =>
  `has the ${checksumWords(found)} instead of ${wanted.digest}`

function unfit(path: string, model: string, what: string): PipelineError {
  const message =
    `The file ${path} is not the published one: it ${what}. Remove the file to have the published one downloaded; ` +
    `or, if the file is yours, serve it by its path: MODELS=${model}=${path}.`
  return new PipelineError('ERR_MODEL_LOAD', message)
}

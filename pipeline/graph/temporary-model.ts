import { rmSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compiledName } from './compiler-version.ts'
import { sweepUnfinished, unfinishedName } from './sweep-compiled.ts'
import {
  type Compile,
  type CompiledModel,
  explained,
  modelIn,
  UnwritableError,
  writeModel,
} from './write-model.ts'

export interface TemporaryModel extends CompiledModel {
  /** Where its folder lies. */
  readonly parent: string
  /** Removes the model, which an engine that has it open goes on using. */
  release(): Promise<void>
}

/** Where disk and temporary folder are full or read-only, Linux has a folder in memory. */
const PARENTS: readonly string[] = [tmpdir(), '/dev/shm']

/** A model that is compiled for this process alone, in the first folder that takes it. It is gone when the process is. */
export async function temporaryModel(
  key: string,
  compile: Compile,
  parents: readonly string[] = PARENTS,
): Promise<TemporaryModel> {
  const refusals: UnwritableError[] = []
  for (const parent of parents) {
    const folder = join(parent, unfinishedName(compiledName(key)))
    const remove = () => removeNow(folder)
    process.once('exit', remove)
    try {
      await sweepUnfinished(parent)
      // No other user of the machine can look into it, or put something there.
      await mkdir(folder, { mode: 0o700 })
      await writeModel(folder, compile)
      return { ...modelIn(folder), parent, release: () => release(folder, () => process.off('exit', remove)) }
    } catch (cause) {
      remove()
      process.off('exit', remove)
      const error = explained(cause, parent)
      if (!(error instanceof UnwritableError)) throw error
      refusals.push(error)
    }
  }
  const message = refusals.map((refusal) => refusal.message).join(' ')
  throw new UnwritableError('ERR_MODEL_LOAD', message, { cause: refusals[0] })
}

/** What cannot be removed now is removed by a later process. */
function removeNow(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {}
}

/** Windows does not remove a file that is open: there the end of the process does it. */
async function release(folder: string, forget: () => void): Promise<void> {
  await rm(folder, { recursive: true, force: true }).then(forget, () => undefined)
}

import { join } from 'node:path'
import { makeFolder } from '../make-folder.ts'
import { compiledName } from './compiler-version.ts'
import { sweepCompiled, unfinishedName } from './sweep-compiled.ts'
import { buildWhole, isWhole, markUsed } from './whole-folder.ts'
import { type Compile, type CompiledModel, explained, modelIn, writeModel } from './write-model.ts'

export interface CacheOptions {
  /** Created if missing. */
  readonly cacheDir: string
  /** The cache key, any text. Must change with everything that the result depends on: the source file and settings. */
  readonly key: string
  readonly compile: Compile
}

/** Returns the compiled model from the cache, or compiles it. Each model is a folder, see whole-folder.ts. */
export async function compiledModel({ cacheDir, key, compile }: CacheOptions): Promise<CompiledModel> {
  const name = compiledName(key)
  const folder = join(cacheDir, name)
  const found = modelIn(folder)
  if (await isWhole(folder)) {
    await markUsed(folder)
    return found
  }
  try {
    await makeFolder(cacheDir)
    await sweepCompiled(cacheDir)
    await buildWhole(join(cacheDir, unfinishedName(name)), folder, (temporary) =>
      writeModel(temporary, compile),
    )
    return found
  } catch (error) {
    throw explained(error, cacheDir)
  }
}

import module from 'node:module'
import { join, resolve } from 'node:path'
import type { Config } from './config.ts'

/** Beside the compiled models: the folder belongs to the service, and nobody else can put code into it. */
const FOLDER = join('compiled', 'code')

/** Newer than the types of Node 20. */
interface Caching {
  readonly enableCompileCache?: (folder: string) => { readonly directory?: string }
}

/**
 * Keeps what V8 has compiled, so that later starts need less time: from Node 22 on, for this process and its children. The
 * user's own choice of a folder takes precedence. A web host has no folder of models, and keeps nothing.
 */
export function keepCompiledCode({ role, weightsDir }: Pick<Config, 'role' | 'weightsDir'>): void {
  const { enableCompileCache } = module as Caching
  if (enableCompileCache === undefined || role === 'web') return
  if (process.env.NODE_COMPILE_CACHE !== undefined) return
  const folder = resolve(weightsDir, FOLDER)
  // Without a directory in the answer, the folder cannot be written, or caching is turned off.
  if (enableCompileCache(folder).directory !== undefined) process.env.NODE_COMPILE_CACHE = folder
}

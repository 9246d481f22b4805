import { readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { catalog } from './catalog.ts'
import { possiblePaths, TFJS_FILE } from './find-model.ts'
import { settingsFiles } from './model-settings.ts'

/** The absolute path of every file that decides what is served under a name, whether the file exists or not. */
export async function modelFiles(
  name: string,
  path: string | undefined,
  weightsDir: string,
): Promise<string[]> {
  const paths = path === undefined ? possiblePaths(name, weightsDir) : [path]
  const official = catalog.get(name)?.file
  const files = new Set(path === undefined && official !== undefined ? [resolve(weightsDir, official)] : [])
  for (const one of paths.map((each) => resolve(each))) {
    // A TensorFlow.js model is given by its folder or by the model.json inside.
    const folder = basename(one) === TFJS_FILE ? dirname(one) : one
    const shards = await readdir(folder).catch(() => [])
    const parts = shards.map((shard) => join(folder, shard))
    // The folder is listed too, since a new file changes only the folder.
    for (const file of [one, folder, ...(await settingsFiles(one)), ...parts]) files.add(file)
  }
  return [...files]
}

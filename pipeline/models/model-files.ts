import { readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { catalog } from './catalog.ts'
import { possiblePaths } from './find-model.ts'
import { settingsFiles } from './model-settings.ts'

/** Every file that decides what is served under a name, those that are not there included. Absolute paths. */
export async function modelFiles(
  name: string,
  path: string | undefined,
  weightsDir: string,
): Promise<string[]> {
  const paths = path === undefined ? possiblePaths(name, weightsDir) : [path]
  const official = catalog.get(name)?.file
  const files = new Set(path === undefined && official !== undefined ? [resolve(weightsDir, official)] : [])
  for (const one of paths.map((each) => resolve(each))) {
    // A model of TensorFlow.js is named by its folder or by the model.json in it.
    const folder = basename(one) === 'model.json' ? dirname(one) : one
    const shards = await readdir(folder).catch(() => [])
    const parts = shards.map((shard) => join(folder, shard))
    // The folder itself changes when a file is put into it.
    for (const file of [one, folder, ...(await settingsFiles(one)), ...parts]) files.add(file)
  }
  return [...files]
}

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/*
 * A TensorFlow.js model is several files, and an input is one. So an input that begins with JSON is model.json up to the
 * first byte of 0, which JSON never has; the weights follow.
 */

const SHARD = 'weights.bin'
const LONGEST_NAME = 100

interface Manifest {
  readonly weightsManifest?: readonly { paths?: readonly string[] }[]
}

/** A model.json and its weights as one input, with all weights in one file. A damaged model stays as it is. */
export function bundled(modelJson: string): Buffer {
  const json = readFileSync(modelJson)
  try {
    return joined(JSON.parse(json.toString('utf8')) as Manifest, modelJson)
  } catch {
    return json
  }
}

function joined(model: Manifest, modelJson: string): Buffer {
  const groups = model.weightsManifest ?? []
  const shards = groups.flatMap(({ paths = [] }) =>
    paths.map((name) => readFileSync(join(dirname(modelJson), name))),
  )
  const weightsManifest = groups.map((group, i) => ({ ...group, paths: i === 0 ? [SHARD] : [] }))
  const text = JSON.stringify({ ...model, weightsManifest })
  return Buffer.concat([Buffer.from(text), Buffer.of(0), ...shards])
}

/** Writes an input into an empty folder. Gives the path to open. */
export function unbundled(input: Buffer, folder: string): string {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const path = join(folder, 'model')
  const end = input.indexOf(0)
  if (end < 0 || !/^\s*\{/.test(input.toString('latin1', 0, 16))) {
    writeFileSync(path, input)
    return path
  }
  writeFileSync(path, input.subarray(0, end))
  for (const name of shardNames(input.subarray(0, end)))
    writeFileSync(join(folder, name), input.subarray(end + 1))
  return path
}

/** The names that a changed manifest has still to find its weights under. */
function shardNames(json: Buffer): string[] {
  const names = json.toString('utf8').match(/[\w.-]+\.bin/g) ?? []
  return [...new Set([SHARD, ...names])]
    .filter((name) => name === basename(name) && name.length < LONGEST_NAME)
    .slice(0, 8)
}

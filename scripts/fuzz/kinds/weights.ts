import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { compileGraph } from '../../../pipeline/graph/compile.ts'
import { openModel } from '../../../pipeline/weights/open-model.ts'
import { golden } from '../../../test/support/golden.ts'
import { ChildTarget } from '../child-target.ts'
import { MAX_INPUT_BYTES } from '../formats/format.ts'
import { hdf5 } from '../formats/hdf5.ts'
import { json } from '../formats/json.ts'
import { protobuf } from '../formats/protobuf.ts'
import { zip } from '../formats/zip.ts'
import type { Bounds } from '../target.ts'
import type { Kind } from './kind.ts'
import { bundled } from './weights-bundle.ts'

/** The library of HDF5 may run for 10 s in each call before its thread is ended. */
export const WEIGHTS_BOUNDS: Bounds = { cpuMs: 25_000, memoryBytes: 384 * 2 ** 20, hangMs: 200_000 }
export const WEIGHTS_FORMATS = [hdf5, zip, json, protobuf]

const MODEL = /\.(h5|keras)$/

export const weights: Kind = {
  formats: WEIGHTS_FORMATS,
  open: async () => ({
    target: new ChildTarget(new URL('./examine-weights.ts', import.meta.url), WEIGHTS_BOUNDS),
    seeds: await weightsSeeds(),
  }),
  extension: (input) => EXTENSIONS.find(([format]) => format.matches(input))?.[1] ?? '.bin',
}

const EXTENSIONS = [
  [hdf5, '.h5'],
  [zip, '.keras'],
  [json, '.json'],
  [protobuf, '.onnx'],
] as const

/** The small models of every format, hostile ones too, an ONNX model, and the beginning of a SavedModel. */
export async function weightsSeeds(): Promise<Buffer[]> {
  const files = (['formats', 'hostile'] as const).flatMap((part) => modelsBelow(golden(part)))
  const onnx = await compiled(golden('formats', 'mlp', 'keras2.h5'))
  const savedModel = Buffer.from([0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x31, 0x00])
  return [...files, onnx, savedModel].filter((input) => input.length <= MAX_INPUT_BYTES)
}

function modelsBelow(folder: string): Buffer[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return names.flatMap((name) => {
    const path = join(folder, name)
    if (basename(name) === 'model.json') return [bundled(path)]
    return MODEL.test(name) ? [readFileSync(path)] : []
  })
}

async function compiled(path: string): Promise<Buffer> {
  const { layers, weights, close } = await openModel(path)
  if (!layers || !weights) throw new Error(`${path} has no layers`)
  const options = { preprocessing: 'none', input: 'uint8', dataFile: 'model.data' } as const
  const onnx = await compileGraph(layers, weights, options, async () => undefined)
  await close()
  return Buffer.from(onnx)
}

import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { planLayers } from '../../pipeline/graph/plan-layers.ts'
import { readKerasConfig } from '../../pipeline/weights/keras/keras-config.ts'
import { type OpenedModel, type OpenOptions, openModel } from '../../pipeline/weights/open-model.ts'
import { golden, goldenJson } from './golden.ts'
import { type SyntheticLayer, syntheticArray } from './synthetic.ts'

/** For each model its files, each with its format. */
const OWN_FILES: Record<string, Record<string, string>> = {
  minivgg: {
    'keras2.1-list-config.h5': 'keras-h5',
    'tfjs-2.1-list-config': 'tfjs',
    'weights-keras1.h5': 'keras-h5-weights',
    'weights-theano-correlation.h5': 'theano-h5',
    'weights-theano-rotated.h5': 'theano-h5',
  },
  mlp: { 'keras2-varlen-optimizer.h5': 'keras-h5' },
  resnetish: {
    'keras2-chunked-gzip.h5': 'keras-h5',
    'weights-keras2-split-names.h5': 'keras-h5-weights',
  },
  inceptionish: {},
  mobilenetish: {},
  mobilenetv2ish: {},
  misc: {},
  nested: {},
}

const IN_EVERY_FOLDER = {
  'keras2.h5': 'keras-h5',
  'keras3.h5': 'keras-h5',
  'keras3.keras': 'keras-zip',
  'weights-keras2.h5': 'keras-h5-weights',
  tfjs: 'tfjs',
}

/** Every golden file: model, name, format. */
export const FORMAT_FILES = Object.entries(OWN_FILES).flatMap(([model, more]) =>
  Object.entries({ ...IN_EVERY_FOLDER, ...more }).map(([file, format]) => ({ model, file, format })),
)

/** What is read of expected.json, and of a model.json. */
interface GoldenFile {
  weights: SyntheticLayer[]
  weightsManifest: { weights: { name: string; quantization: { scale: number } }[] }[]
}

export const formats = (...path: string[]) => golden('formats', ...path)
export const json = (...path: string[]) => goldenJson<GoldenFile>('formats', ...path)

/** Compares all arrays of a file with the formula that they were made with. */
export async function mustHoldFormula({ model, file, format }: (typeof FORMAT_FILES)[number]): Promise<void> {
  const opened = await openModel(formats(model, file), optionsFor(model, file))
  expect(opened.format).to.equal(format)
  await eachArray(opened, json(model, 'expected.json').weights, (name, found, expected) => {
    expect(found.length, name).to.equal(expected.length)
    expect(
      found.findIndex((value, i) => value !== expected[i]),
      name,
    ).to.equal(-1)
  })
  await opened.close()
}

export function optionsFor(model: string, file: string): OpenOptions {
  const topology = existsSync(formats(model, 'topology.keras2.json')) && json(model, 'topology.keras2.json')
  const kernels = /theano-(\w+)\.h5/.exec(file)?.[1] as 'correlation' | 'rotated' | undefined
  return { ...(topology && { layers: readKerasConfig(topology).list }), ...(kernels && { kernels }) }
}

type Compare = (name: string, found: Float32Array, expected: Float32Array) => void

/** Every array of the model once, under the name that Keras has for it. */
export async function eachArray(
  opened: OpenedModel,
  layers: readonly SyntheticLayer[],
  compare: Compare,
): Promise<void> {
  let count = 0
  const plans = planLayers(opened.layers ?? { inputShape: [], layers: [], output: '' })
  for (const { layer, arrays } of layers) {
    for (const array of arrays) {
      const [role = '', inner] = array.name.split('/').reverse()
      const name = inner === undefined ? layer : `${layer}/${inner}`
      const plan = plans.get(name)
      if (!plan || !opened.weights) throw new Error(`no layer ${name}`)
      const index = (plan.arrays ?? []).findIndex((one) => one.role === role)
      expect(opened.weights.arrays(name)[index]?.shape).to.deep.equal(array.shape)
      compare(`${inner ?? layer}/${role}`, await opened.weights.read(name, index), syntheticArray(array))
      count++
    }
  }
  const all = opened.layers?.layers.flatMap(({ name }) => opened.weights?.arrays(name) ?? [])
  expect(all).to.have.length(count)
}

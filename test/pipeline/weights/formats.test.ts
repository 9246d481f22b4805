import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { planLayers } from '../../../pipeline/graph/plan-layers.ts'
import { readKerasConfig } from '../../../pipeline/weights/keras/keras-config.ts'
import {
  type OpenedModel,
  type OpenOptions,
  openModel,
  peekModel,
} from '../../../pipeline/weights/open-model.ts'
import { codeOf } from '../../support/broker.ts'
import { golden, goldenJson } from '../../support/golden.ts'
import { type SyntheticLayer, syntheticArray } from '../../support/synthetic.ts'

/** For each model its files, each with its format. */
const FILES: Record<string, Record<string, string>> = {
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

/** What is read of expected.json, and of a model.json. */
interface GoldenFile {
  weights: SyntheticLayer[]
  weightsManifest: { weights: { name: string; quantization: { scale: number } }[] }[]
}

/** How far a number of float32 lies from what a quantized file has for it: half a step, or half a unit in the last place. */
const QUANTIZED: Record<string, (value: number, scale: number) => number> = {
  'tfjs-uint8': (_, scale) => scale * 0.501,
  'tfjs-uint16': (_, scale) => scale * 0.501,
  'tfjs-float16': (value) => Math.abs(value) * 2 ** -11 + 2 ** -25,
}

const formats = (...path: string[]) => golden('formats', ...path)
const json = (...path: string[]) => goldenJson<GoldenFile>('formats', ...path)

describe('weights of every format', () => {
  for (const [model, more] of Object.entries(FILES)) {
    for (const [file, format] of Object.entries({ ...IN_EVERY_FOLDER, ...more })) {
      it(`${model}/${file} holds exactly the numbers of the formula`, async () => {
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
      })
    }
  }

  for (const path of [
    'misc/tfjs-uint8',
    'misc/tfjs-uint16',
    'misc/tfjs-float16',
    'mobilenetv2ish/tfjs-uint8',
    'mobilenetv2ish/tfjs-float16',
  ]) {
    it(`${path} holds them as exactly as its precision allows`, async () => {
      const [model = '', file = ''] = path.split('/')
      const opened = await openModel(formats(path))
      const scales = new Map<string, number>()
      for (const { weights } of json(path, 'model.json').weightsManifest) {
        for (const { name, quantization } of weights) scales.set(name, quantization.scale)
      }
      await eachArray(opened, json(model, 'expected.json').weights, (name, found, expected) => {
        const scale = scales.get(name) ?? 0
        const off = expected.findIndex(
          (value, i) => Math.abs(value - (found[i] ?? Number.NaN)) > (QUANTIZED[file]?.(value, scale) ?? 0),
        )
        expect(off, name).to.equal(-1)
      })
      await opened.close()
    })
  }

  it('returns the names of the layers in a file, and the topology if there is one', async () => {
    const whole = await peekModel(formats('minivgg', 'keras2.h5'))
    expect(whole.layers?.layers).to.have.length(13)
    expect(whole.groupNames).to.include('convolution2d_1')
    const weights = await peekModel(formats('minivgg', 'weights-keras2.h5'))
    expect(weights).to.not.have.property('layers')
    expect(weights.groupNames).to.include('dense_2')
  })

  it('asks for a topology if a file holds only weights', async () => {
    expect(await codeOf(openModel(formats('misc', 'weights-keras2.h5')))).to.equal('ERR_MODEL_LOAD')
  })

  it('asks for the orientation of the kernels in a Theano file', async () => {
    const { layers } = optionsFor('minivgg', 'weights-keras2.h5')
    const opening = openModel(formats('minivgg', 'weights-theano-rotated.h5'), layers ? { layers } : {})
    expect(await codeOf(opening)).to.equal('ERR_MODEL_SETTINGS')
  })

  for (const model of ['unsupported_lstm', 'unsupported_lambda']) {
    it(`names the layer of ${model} that cannot be compiled`, async () => {
      expect(await codeOf(openModel(formats(model, 'keras2.h5')))).to.equal('ERR_MODEL_UNSUPPORTED')
    })
  }

  it('reads no arrays after it is closed', async () => {
    const opened = await openModel(formats('mlp', 'keras2.h5'))
    const name = opened.layers?.layers.find((layer) => layer.className === 'Dense')?.name ?? ''
    await opened.close()
    await opened.close()
    expect(await codeOf(opened.weights?.read(name, 0) ?? Promise.resolve())).to.equal('ERR_MODEL_LOAD')
  })
})

function optionsFor(model: string, file: string): OpenOptions {
  const topology = existsSync(formats(model, 'topology.keras2.json')) && json(model, 'topology.keras2.json')
  const kernels = /theano-(\w+)\.h5/.exec(file)?.[1] as 'correlation' | 'rotated' | undefined
  return { ...(topology && { layers: readKerasConfig(topology).list }), ...(kernels && { kernels }) }
}

type Compare = (name: string, found: Float32Array, expected: Float32Array) => void

/** Every array of the model once, under the name that Keras has for it. */
async function eachArray(
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

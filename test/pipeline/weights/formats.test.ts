import { expect } from 'chai'
import { openModel, peekModel } from '../../../pipeline/weights/open-model.ts'
import { codeOf } from '../../support/broker.ts'
import {
  eachArray,
  FORMAT_FILES,
  formats,
  json,
  mustHoldFormula,
  optionsFor,
} from '../../support/compare-formats.ts'

/** How far a number of float32 lies from what a quantized file has for it: half a step, or half a unit in the last place. */
const QUANTIZED: Record<string, (value: number, scale: number) => number> = {
  'tfjs-uint8': (_, scale) => scale * 0.501,
  'tfjs-uint16': (_, scale) => scale * 0.501,
  'tfjs-float16': (value) => Math.abs(value) * 2 ** -11 + 2 ** -25,
}

describe('weights of every format', () => {
  // Each format once or twice. The slow tests read all files.
  for (const file of FORMAT_FILES.filter(({ model }) => ['minivgg', 'mlp'].includes(model))) {
    it(`${file.model}/${file.file} holds exactly the numbers of the formula`, () => mustHoldFormula(file))
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

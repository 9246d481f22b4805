import { expect } from 'chai'
import { withHardSigmoids } from '../../../pipeline/graph/hard-sigmoids.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { mobilenetV3Small } from '../../../pipeline/models/networks/mobilenet-v3.ts'
import { onnxOutline } from '../../../pipeline/weights/onnx/onnx-outline.ts'
import { withCompiled } from '../../support/compiled.ts'
import { outcome, type SmallArray, sketch, storeOf } from '../../support/small-models.ts'

const array = (shape: number[], ...values: number[]): SmallArray => ({ shape, values })

function operators(list: LayerList, weights: Record<string, SmallArray[]>): Promise<string[]> {
  return withCompiled(list, storeOf(weights), {}, async (path) => onnxOutline(path).nodes.map(({ op }) => op))
}

describe('operators that the engine computes faster than several others', () => {
  const pixel = [-2, -1, 4]
  const moments = [
    array([3], 2, 1, 0.5),
    array([3], 1, 0, -1),
    array([3], 1, -1, 2),
    array([3], 3.999, 0.999, 0.249),
  ]
  const normalized = [(2 * (-2 - 1)) / 2 + 1, -1 + 1, (0.5 * (4 - 2)) / 0.5 - 1]

  it('keep a batch normalization of an image as one operator where no layer before can take it', async () => {
    const list = sketch(
      [1, 1, 3],
      ['Activation', { activation: 'linear' }],
      ['BatchNormalization'],
      ['Flatten'],
    )
    expect(await operators(list, { b: moments }))
      .to.include('BatchNormalization')
      .and.not.include('Mul')
    const found = await outcome(list, pixel, { b: moments })
    for (const [i, value] of normalized.entries()) expect(found[i]).to.be.closeTo(value, 1e-5)
  })

  it('keep no operator for a LayerScale after a dense layer', async () => {
    const list = sketch([2], ['Dense', { units: 2 }], ['LayerScale', { projection_dim: 2 }])
    const weights = { a: [array([2, 2], 1, 2, 3, 4), array([2], 5, 6)], b: [array([2], 10, 0.5)] }
    expect(await operators(list, weights)).to.deep.equal(['Gemm'])
    expect(await outcome(list, [1, 1], weights)).to.deep.equal([90, 6])
  })

  const sigmoid = (config: Record<string, unknown> = {}, add = 3, factor = Math.fround(1 / 6)) =>
    sketch(
      [5],
      ['Constant', { value: [add], shape: [] }, []],
      ['ops.Add', {}, ['input', 'a']],
      ['ReLU', { max_value: 6, ...config }],
      ['Constant', { value: [factor], shape: [] }, []],
      ['ops.Multiply', {}, ['d', 'c']],
    )

  it('compute hard_sigmoid for the three operations of MobileNetV3', async () => {
    expect(await operators(sigmoid(), {})).to.deep.equal(['HardSigmoid'])
    const found = await outcome(sigmoid(), [-9, -3, 0, 1.5, 9])
    for (const [i, value] of [0, 0, 0.5, 0.75, 1].entries()) expect(found[i]).to.be.closeTo(value, 1e-6)
    const words = withHardSigmoids(mobilenetV3Small()).layers.map(({ config }) => config.activation)
    expect(words.filter((word) => word === 'hard_sigmoid')).to.have.length(9)
  })

  it('leave other operations as they are', async () => {
    for (const other of [
      sigmoid({ max_value: 5 }),
      sigmoid({ max_value: null }),
      sigmoid({ negative_slope: 0.1 }),
      sigmoid({ threshold: 1 }),
      sigmoid({}, 2),
      sigmoid({}, 3, 0.2),
    ])
      expect(withHardSigmoids(other)).to.deep.equal(other)
    const several = sigmoid()
    const list = {
      ...several,
      layers: several.layers.map((l) => (l.name === 'e' ? { ...l, inputs: ['d', 'd'] } : l)),
    }
    expect(withHardSigmoids(list)).to.deep.equal(list)
  })
})

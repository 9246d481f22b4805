import { expect } from 'chai'
import { expectedArrays } from '../../../pipeline/graph/shapes.ts'
import { catalog } from '../../../pipeline/models/catalog.ts'
import type { Layer, LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { golden, goldenJson, hasGolden } from '../../support/golden.ts'
import { topologyOf } from '../../support/keras-topology.ts'
import type { SyntheticLayer } from '../../support/synthetic.ts'

/** What decides about the numbers that come out. The rest is for training. */
const FIELDS = [
  'activation',
  'alpha',
  'center',
  'data_format',
  'depth_multiplier',
  'dilation_rate',
  'epsilon',
  'filters',
  'groups',
  'keepdims',
  'kernel_size',
  'max_value',
  'negative_slope',
  'padding',
  'pool_size',
  'rate',
  'scale',
  'strides',
  'target_shape',
  'threshold',
  'units',
  'use_bias',
]

describe('topologies of the catalog', () => {
  for (const { name, topology } of [...catalog.values()].filter(hasGolden)) {
    it(`has the layers of Keras, in Keras' order: ${name}`, () => {
      const expected = topologyOf(golden('applications', `${name}.config.json`))
      expect(described(topology())).to.deep.equal(described(expected))
      expect(topology().output).to.equal(expected.output)
      expect(topology().inputShape).to.deep.equal(expected.inputShape)
    })

    it(`needs exactly the arrays of Keras, in the order of the file: ${name}`, () => {
      const file = `${name}.weights.json`
      const { layers } = goldenJson<{ layers: SyntheticLayer[] }>('applications', file)
      const expected = layers.flatMap(({ layer, arrays }) =>
        arrays.map(({ name, shape }) => ({ layer, name, shape })),
      )
      expect(neededArrays(topology())).to.deep.equal(expected)
    })
  }
})

describe('EfficientNetB0 of the catalog', () => {
  it('has the layers of Keras, and the second scaling of the published weights', () => {
    const own = catalog.get('efficientnetb0')?.topology() ?? { inputShape: [], layers: [], output: '' }
    const expected = topologyOf(golden('applications', 'efficientnet_b0.config.json'))
    const without = own.layers
      .filter(({ name }) => name !== 'rescaling_1')
      .map((layer) => ({
        ...layer,
        inputs: layer.inputs.map((one) => (one === 'rescaling_1' ? 'normalization' : one)),
      }))
    const plainly = (list: LayerList) =>
      // The rates of dropout matter in training only.
      described(list).map(({ config: { rate: _, ...config }, ...layer }) => ({ ...layer, config }))
    expect(plainly({ ...own, layers: without })).to.deep.equal(plainly(expected))
  })
})

function described({ layers }: LayerList) {
  return layers.map(({ name, className, inputs, config }) => ({
    name,
    className,
    inputs,
    config: semantic(config),
  }))
}

function semantic(config: Layer['config']): Record<string, unknown> {
  const axis = config.axis === 3 ? -1 : config.axis
  const fields = FIELDS.filter((field) => config[field] != null).map((field) => [field, config[field]])
  return { ...Object.fromEntries(fields), axis }
}

function neededArrays(list: LayerList) {
  return [...expectedArrays(list)].flatMap(([layer, arrays]) =>
    arrays.map(({ role, shape }) => ({
      layer,
      name: role,
      shape,
    })),
  )
}

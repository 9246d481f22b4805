import { expect } from 'chai'
import { expectedArrays } from '../../../pipeline/graph/shapes.ts'
import { catalog } from '../../../pipeline/models/catalog.ts'
import { ANY_SIZE, type Layer, type LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { readKerasConfig } from '../../../pipeline/weights/keras/keras-config.ts'
import { goldenJson, goldenName, hasGolden } from '../../support/golden.ts'
import type { SyntheticLayer } from '../../support/synthetic.ts'

/** What decides about the numbers that come out. The rest is for training. */
const FIELDS = [
  'activation',
  'alpha',
  'center',
  'cropping',
  'data_format',
  'depth_multiplier',
  'dilation_rate',
  'epsilon',
  'filters',
  'groups',
  'keepdims',
  'kernel_size',
  'max_value',
  'mean',
  'negative_slope',
  'offset',
  'padding',
  'pool_size',
  'scale',
  'strides',
  'target_shape',
  'threshold',
  'units',
  'use_bias',
  'value',
  'variance',
]

describe('topologies of the catalog', () => {
  for (const entry of [...catalog.values()].filter(hasGolden)) {
    const { name, topology } = entry
    it(`has the layers of Keras, in Keras' order: ${name}`, () => {
      const { list: expected } = readKerasConfig(
        goldenJson('applications', `${goldenName(entry)}.config.json`),
      )
      expect(described(topology())).to.deep.equal(described(expected))
      expect(topology().output).to.equal(expected.output)
      // Keras' own MobileNetV3 takes images of any size.
      const inputShape = expected.inputShape.map((size) => (size === ANY_SIZE ? 224 : size))
      expect(topology().inputShape).to.deep.equal(inputShape)
    })

    it(`needs exactly the arrays of Keras, in the order of the file: ${name}`, () => {
      const file = `${goldenName(entry)}.weights.json`
      const { layers } = goldenJson<{ layers: SyntheticLayer[] }>('applications', file)
      const expected = layers.flatMap(({ layer, arrays }) =>
        arrays.map(({ name, shape }) => ({ layer, name: plainName(name), shape })),
      )
      expect(neededArrays(topology())).to.deep.equal(expected)
    })
  }
})

describe('EfficientNetB0 of the catalog', () => {
  it('has the layers of Keras, and the second scaling of the published weights', () => {
    const own = catalog.get('efficientnetb0')?.topology() ?? { inputShape: [], layers: [], output: '' }
    const { list: expected } = readKerasConfig(goldenJson('applications', 'efficientnet_b0.config.json'))
    const without = own.layers
      .filter(({ name }) => name !== 'rescaling_1')
      .map((layer) => ({
        ...layer,
        inputs: layer.inputs.map((one) => (one === 'rescaling_1' ? 'normalization' : one)),
      }))
    expect(described({ ...own, layers: without })).to.deep.equal(described(expected))
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

/** Without the scopes before it. The one array of LayerScale has no name of its own. */
function plainName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).replace(/^variable(_\d+)?$/, 'gamma')
}

/** The arrays of inner models, whose layers are named `outer/inner`, are together in the group `outer`. */
function neededArrays(list: LayerList) {
  return [...expectedArrays(list)].flatMap(([layer, arrays]) =>
    arrays.map(({ role, shape }) => ({ layer: layer.split('/')[0], name: role, shape })),
  )
}

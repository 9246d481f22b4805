import { expect } from 'chai'
import { inferShapes } from '../../../pipeline/graph/shapes.ts'
import { catalog } from '../../../pipeline/models/catalog.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { readKerasConfig } from '../../../pipeline/weights/keras/keras-config.ts'
import { goldenJson } from '../../support/golden.ts'

const input = (name = 'image', shape: unknown = [null, 8, 8, 3]) => ({
  class_name: 'InputLayer',
  name,
  config: { name, batch_shape: shape },
  inbound_nodes: [],
})
const old = (...names: string[]) => [names.map((name) => [name, 0, 0, {}])]
const tensor = (name: string) => ({ class_name: '__keras_tensor__', config: { keras_history: [name, 0, 0] } })
const layer = (class_name: string, name: string, inbound_nodes: unknown, config: object = {}) => ({
  class_name,
  name,
  config: { name, ...config },
  inbound_nodes,
})
const functional = (layers: object[], output: string, more: object = {}) => ({
  class_name: 'Functional',
  config: { layers, input_layers: [['image', 0, 0]], output_layers: [[output, 0, 0]], ...more },
})
const sequential = (layers: object[], more: object = {}) => ({
  class_name: 'Sequential',
  config: { name: 'sequential', layers, ...more },
})
const layersIn = (config: unknown): LayerList => readKerasConfig(config).list
const names = ({ layers }: LayerList) => layers.map(({ name }) => name)

function refusal(config: unknown): { code: string; message: string } {
  try {
    layersIn(config)
  } catch (error) {
    return error as Error & { code: string }
  }
  throw new Error('it was not refused')
}

describe('readKerasConfig', () => {
  it('reads the inbound nodes of Keras 2 and of Keras 3 alike', () => {
    const two = functional(
      [
        input(),
        layer('ReLU', 'a', old('image'), { negative_slope: 0 }),
        layer('Add', 'sum', old('a', 'image')),
      ],
      'sum',
    )
    const three = functional(
      [
        input(),
        layer('ReLU', 'a', [{ args: [tensor('image')], kwargs: {} }], { negative_slope: 0, dtype: {} }),
        layer('Add', 'sum', [{ args: [[tensor('a'), tensor('image')]], kwargs: { mask: null } }]),
      ],
      'sum',
      { input_layers: ['image', 0, 0], output_layers: ['sum', 0, 0] },
    )
    expect(layersIn(two)).to.deep.equal(layersIn(three))
    expect(layersIn(two).layers.at(-1)?.inputs).to.deep.equal(['a', 'image'])
    expect(layersIn(two)).to.include({ output: 'sum' })
  })

  it('adds the input of a Sequential model without an InputLayer', () => {
    const flat = layer('Flatten', 'flat', undefined, { batch_input_shape: [null, 4, 4, 1] })
    const dense = layer('Dense', 'dense', undefined, { units: 2 })
    const bare = layersIn({ class_name: 'Sequential', config: [flat, dense] })
    expect(bare.inputShape).to.deep.equal([4, 4, 1])
    expect(names(bare)).to.deep.equal(['flat_input', 'flat', 'dense'])
    const built = layersIn(sequential([dense], { build_input_shape: [null, 9] }))
    expect(built.inputShape).to.deep.equal([9])
  })

  it('puts the layers of an inner model in its place', () => {
    const inner = {
      ...sequential([input('inside'), layer('ReLU', 'relu', undefined), layer('ReLU', 'again', undefined)]),
      name: 'inner',
      inbound_nodes: old('image'),
    }
    const list = layersIn(functional([input(), inner, layer('Flatten', 'flat', old('inner'))], 'flat'))
    expect(names(list)).to.deep.equal(['image', 'inner/relu', 'inner/again', 'flat'])
    expect(list.layers.map(({ inputs }) => inputs)).to.deep.equal([
      [],
      ['image'],
      ['inner/relu'],
      ['inner/again'],
    ])
  })

  it('uses the input of an inner model that is the first layer', () => {
    const inner = { ...functional([input(), layer('ReLU', 'relu', old('image'))], 'relu'), name: 'base' }
    const list = layersIn(sequential([inner, layer('Flatten', 'flat', undefined)]))
    expect(list.inputShape).to.deep.equal([8, 8, 3])
    expect(names(list)).to.deep.equal(['base/image', 'base/relu', 'flat'])
  })

  it('puts each layer after its inputs, in the order of the file otherwise', () => {
    const list = layersIn(
      functional([layer('ReLU', 'b', old('a')), layer('ReLU', 'a', old('image')), input()], 'b'),
    )
    expect(names(list)).to.deep.equal(['image', 'a', 'b'])
  })

  it('reads older names of fields', () => {
    const list = layersIn(
      functional(
        [
          input(),
          layer('LeakyReLU', 'leaky', old('image'), { alpha: 0.2 }),
          layer('BatchNormalization', 'norm', old('leaky'), { axis: [3], gamma_initializer: {} }),
          layer('Activation', 'act', old('norm'), { activation: { class_name: 'function', config: 'relu' } }),
        ],
        'act',
      ),
    )
    expect(list.layers.slice(1).map(({ config }) => config)).to.deep.equal([
      { negative_slope: 0.2 },
      { axis: 3 },
      { activation: 'relu' },
    ])
  })

  const one = (nodes: unknown, config: object = {}, output = 'a') =>
    functional([input(), layer('ReLU', 'a', nodes, config)], output)
  const REFUSED: [title: string, code: string, config: unknown, message: RegExp][] = [
    ['no object', 'ERR_MODEL_LOAD', 'model', /no class_name/],
    [
      'another class of model',
      'ERR_MODEL_UNSUPPORTED',
      { class_name: 'MyModel', config: {} },
      /class "MyModel"/,
    ],
    ['no layers', 'ERR_MODEL_LOAD', { class_name: 'Functional', config: {} }, /no list of layers/],
    [
      'a circle',
      'ERR_MODEL_LOAD',
      functional([input(), layer('ReLU', 'a', old('b')), layer('ReLU', 'b', old('a'))], 'b'),
      /cycle/,
    ],
    ['a missing layer', 'ERR_MODEL_LOAD', one(old('nowhere')), /"nowhere", which does not exist/],
    ['a missing output', 'ERR_MODEL_LOAD', one(old('image'), {}, 'z'), /"z" as its output/],
    [
      'two layers of one name',
      'ERR_MODEL_LOAD',
      functional([input(), input()], 'image'),
      /two layers named "image"/,
    ],
    [
      'a layer that is used twice',
      'ERR_MODEL_UNSUPPORTED',
      one([...old('image'), ...old('image')]),
      /used 2 times/,
    ],
    [
      'a second output of a layer',
      'ERR_MODEL_UNSUPPORTED',
      one([[['image', 0, 1, {}]]]),
      /takes output 1 of layer "\w+"; only output 0 can be served/,
    ],
    [
      'training: true',
      'ERR_MODEL_UNSUPPORTED',
      one([[['image', 0, 0, { training: true }]]]),
      /argument "training"/,
    ],
    [
      'a number as an input',
      'ERR_MODEL_UNSUPPORTED',
      one([{ args: [tensor('image'), 2] }]),
      /not another layer's output/,
    ],
    ['malformed nodes', 'ERR_MODEL_LOAD', one('image'), /inbound_nodes/],
    [
      'channels first',
      'ERR_MODEL_UNSUPPORTED',
      one(old('image'), { data_format: 'channels_first' }),
      /channels_last/,
    ],
    [
      'two outputs',
      'ERR_MODEL_UNSUPPORTED',
      functional([input()], 'image', {
        output_layers: [
          ['image', 0, 0],
          ['image', 0, 0],
        ],
      }),
      /2 outputs/,
    ],
    ['two inputs', 'ERR_MODEL_UNSUPPORTED', functional([input(), input('other')], 'image'), /2 inputs/],
    [
      'an input of any length',
      'ERR_MODEL_UNSUPPORTED',
      functional([input('image', [null, null])], 'image'),
      /must be fixed/,
    ],
    [
      'an input of no size',
      'ERR_MODEL_LOAD',
      functional([input('image', [null, -1, 8, 3])], 'image'),
      /which no image has/,
    ],
    [
      'an activation that is a layer',
      'ERR_MODEL_UNSUPPORTED',
      one(old('image'), { activation: { class_name: 'Mine', config: {} } }),
      /activation of class "Mine"/,
    ],
  ]
  for (const [title, code, config, message] of REFUSED) {
    it(`refuses ${title}`, () => {
      expect(refusal(config)).to.include({ code })
      expect(refusal(config).message).to.match(message).and.not.match(/\n/)
    })
  }

  it('refuses inner models nested without end', () => {
    let config: object = sequential([layer('ReLU', 'a', undefined, { batch_shape: [null, 1] })])
    for (let i = 0; i < 900; i++) config = sequential([{ ...config, name: `m${i}` }])
    expect(refusal(config).message).to.match(/inner models nested more than 8 deep/)
  })

  it('lists a Lambda as a layer, and never runs it', () => {
    const list = layersIn(
      functional([input(), layer('Lambda', 'l', old('image'), { function: ['code'] })], 'l'),
    )
    expect(list.layers.at(-1)).to.include({ name: 'l', className: 'Lambda' })
  })
})

describe('the configurations of Keras applications', () => {
  for (const [name, { topology }] of catalog) {
    it(`${name} has the layers and shapes of the catalog`, () => {
      const list = layersIn(goldenJson('applications', `${name}.config.json`))
      const own = topology()
      expect(names(list)).to.deep.equal(names(own))
      expect([...inferShapes(list)]).to.deep.equal([...inferShapes(own)])
    })
  }
})

import { expect } from 'chai'
import { inferShapes } from '../../../pipeline/graph/shapes.ts'
import { catalog } from '../../../pipeline/models/catalog.ts'
import { ANY_SIZE, type LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { readKerasConfig } from '../../../pipeline/weights/keras/keras-config.ts'
import { goldenJson, goldenName, hasGolden } from '../../support/golden.ts'

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
const one = (nodes: unknown, config: object = {}, output = 'a') =>
  functional([input(), layer('ReLU', 'a', nodes, config)], output)
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

  it('lists a layer that is called twice once for each call, with the same weights', () => {
    const twice = [...old('image'), ...old('a')]
    const list = layersIn(
      functional(
        [
          input(),
          layer('ReLU', 'a', twice),
          layer('Add', 'sum', [
            [
              ['a', 0, 0, {}],
              ['a', 1, 0, {}],
            ],
          ]),
        ],
        'sum',
      ),
    )
    expect(list.layers.slice(1)).to.deep.equal([
      { name: 'a', className: 'ReLU', config: {}, inputs: ['image'] },
      { name: 'a@1', className: 'ReLU', config: {}, inputs: ['a'], weightsOf: 'a' },
      { name: 'sum', className: 'Add', config: {}, inputs: ['a', 'a@1'] },
    ])
  })

  it('expands an inner model for each of its calls, with the same weights', () => {
    const inner = { ...functional([input(), layer('ReLU', 'relu', old('image'))], 'relu'), name: 'inner' }
    const twice = { ...inner, inbound_nodes: [...old('image'), [['inner', 1, 0, {}]]] }
    // Keras 2 counts the call by which the inner model was made.
    const list = layersIn(functional([input(), twice], 'inner', { output_layers: [['inner', 2, 0]] }))
    expect(list.layers.slice(1)).to.deep.equal([
      { name: 'inner/relu', className: 'ReLU', config: {}, inputs: ['image'] },
      {
        name: 'inner@1/relu',
        className: 'ReLU',
        config: {},
        inputs: ['inner/relu'],
        weightsOf: 'inner/relu',
      },
    ])
    expect(list.output).to.equal('inner@1/relu')
  })

  it('lists all outputs of a model, the first as its output', () => {
    const outputs = [
      ['image', 0, 0],
      ['a', 0, 0],
    ]
    const list = layersIn(
      functional([input(), layer('ReLU', 'a', old('image'))], 'a', { output_layers: outputs }),
    )
    expect(list).to.deep.include({ output: 'image', outputs: ['image', 'a'] })
  })

  it('gives a model of channels first its pictures pixel by pixel', () => {
    const conv = layer('Conv2D', 'conv', old('image'), { data_format: 'channels_first' })
    const list = layersIn(functional([input('image', [null, 3, 8, 9]), conv], 'conv'))
    expect(list.inputShape).to.deep.equal([8, 9, 3])
    expect(list.layers[1]).to.deep.include({ className: 'Permute', config: { dims: [3, 1, 2] } })
    expect(list.layers[2]?.inputs).to.deep.equal([list.layers[1]?.name])
  })

  it('leaves the size of a model of any size open', () => {
    const any = functional([input('image', [null, null, null, 3])], 'image')
    expect(layersIn(any).inputShape).to.deep.equal([ANY_SIZE, ANY_SIZE, 3])
  })

  it('gives hard_sigmoid the meaning that it has in the version of Keras', () => {
    const model = functional(
      [input(), layer('Activation', 'a', old('image'), { activation: 'hard_sigmoid' })],
      'a',
    )
    const activationOf = (keras: number) =>
      readKerasConfig(model, { keras }).list.layers[1]?.config.activation
    expect(activationOf(3)).to.equal('hard_sigmoid')
    expect(activationOf(2)).to.equal('hard_sigmoid of Keras 2')
  })

  it('reads an operation with its constants', () => {
    const divide = {
      ...layer('TrueDivide', 'divide', [{ args: [tensor('image'), 255], kwargs: {} }]),
      module: 'keras.src.ops.numpy',
    }
    const list = layersIn(functional([input(), divide], 'divide'))
    expect(list.layers.slice(1)).to.deep.equal([
      { name: 'divide:x20', className: 'Constant', config: { value: [255], shape: [] }, inputs: [] },
      { name: 'divide', className: 'ops.TrueDivide', config: {}, inputs: ['image', 'divide:x20'] },
    ])
  })

  it('reads functions of TensorFlow as the same operations', () => {
    const fn = (name: string, nodes: unknown, called: string) =>
      layer('TFOpLambda', name, nodes, { function: called })
    const list = layersIn(
      functional(
        [
          input(),
          fn('less', [['_CONSTANT_VALUE', -1, 1, { y: ['image', 0, 0], name: null }]], 'math.subtract'),
          fn(
            'joined',
            [
              [
                ['less', 0, 0, { axis: -1 }],
                ['image', 0, 0, { axis: -1 }],
              ],
            ],
            'concat',
          ),
        ],
        'joined',
      ),
    )
    expect(list.layers.slice(1).map(({ className, inputs }) => [className, inputs])).to.deep.equal([
      ['Constant', []],
      ['ops.Subtract', ['less:x10', 'image']],
      ['ops.Concatenate', ['less', 'image']],
    ])
  })

  it('refuses a function of TensorFlow with an argument that it does not know', () => {
    const pool = layer(
      'TFOpLambda',
      'pool',
      [['image', 0, 0, { ksize: 2, strides: 2, padding: 'SAME', data_format: 'NCHW' }]],
      {
        function: 'nn.max_pool2d',
      },
    )
    expect(refusal(functional([input(), pool], 'pool'))).to.include({ code: 'ERR_MODEL_UNSUPPORTED' })
    expect(refusal(functional([input(), pool], 'pool')).message).to.match(
      /data_format "NCHW"; "NHWC" can be served/,
    )
  })

  it('takes the scaled sum of Inception-ResNet from its Lambda, without the code', () => {
    const block = layer(
      'Lambda',
      'block35_1',
      [
        [
          ['image', 0, 0, {}],
          ['image', 0, 0, {}],
        ],
      ],
      {
        function: ['code', null, null],
        arguments: { scale: 0.17 },
      },
    )
    const list = layersIn(functional([input(), block], 'block35_1'))
    expect(list.layers[1]).to.deep.include({ className: 'CustomScaleLayer', config: { scale: 0.17 } })
  })

  it('reads the layers of Keras 1', () => {
    const conv = {
      nb_filter: 4,
      nb_row: 3,
      nb_col: 5,
      subsample: [2, 2],
      border_mode: 'same',
      dim_ordering: 'tf',
      bias: true,
      init: 'he_normal',
      activation: 'relu',
      W_regularizer: null,
    }
    const list = layersIn({
      class_name: 'Sequential',
      config: [
        layer('Convolution2D', 'conv', undefined, { ...conv, batch_input_shape: [null, 8, 8, 3] }),
        layer('Dropout', 'drop', undefined, { p: 0.5 }),
        layer('Flatten', 'flat', undefined),
        layer('Dense', 'dense', undefined, { output_dim: 2, bias: false, init: 'uniform', input_dim: null }),
      ],
    })
    expect(list.layers.slice(1).map(({ className, config }) => [className, config])).to.deep.equal([
      [
        'Conv2D',
        {
          filters: 4,
          strides: [2, 2],
          padding: 'same',
          use_bias: true,
          activation: 'relu',
          kernel_size: [3, 5],
          data_format: 'channels_last',
        },
      ],
      ['Dropout', { rate: 0.5 }],
      ['Flatten', {}],
      ['Dense', { units: 2, use_bias: false }],
    ])
    expect([...inferShapes(list).values()].at(-1)).to.deep.equal([2])
  })

  it('reads a Merge of Keras 1', () => {
    const merged = layer(
      'Merge',
      'merged',
      [
        [
          ['image', 0, 0],
          ['image', 0, 0],
        ],
      ],
      { mode: 'concat', concat_axis: -1 },
    )
    expect(layersIn(functional([input(), merged], 'merged')).layers[1]).to.deep.include({
      className: 'Concatenate',
      config: { axis: -1 },
    })
    const dot = layer(
      'Merge',
      'merged',
      [
        [
          ['image', 0, 0],
          ['image', 0, 0],
        ],
      ],
      { mode: 'dot' },
    )
    expect(refusal(functional([input(), dot], 'merged'))).to.include({ code: 'ERR_MODEL_UNSUPPORTED' })
  })

  it('gives the inputs of an attention in their order, however they are named', () => {
    const call = [{ args: [tensor('image')], kwargs: { key: tensor('b'), value: tensor('a') } }]
    const relu = (name: string) => layer('ReLU', name, old('image'))
    const list = layersIn(
      functional([input(), relu('a'), relu('b'), layer('MultiHeadAttention', 'm', call)], 'm'),
    )
    expect(list.layers.at(-1)?.inputs).to.deep.equal(['image', 'a', 'b'])
  })

  it('refuses a layer that is called more than a thousand times', () => {
    const often = Array.from({ length: 1001 }, () => old('image')[0])
    expect(refusal(functional([input(), layer('ReLU', 'a', often)], 'a')).message).to.match(
      /called 1001 times/,
    )
  })

  it('refuses more calls than a network has, in one model and in models inside models', () => {
    const calls = (count: number) => Array.from({ length: count }, () => [['image', 0, 0, {}]])
    const layers = Array.from({ length: 21 }, (_, i) => layer('ReLU', `a${i}`, calls(1000)))
    expect(refusal(functional([input(), ...layers], 'a0')).message).to.match(/21001 calls of layers/)
    // Models that add no layer, each of which calls the next a thousand times.
    let inner = functional([input()], 'image')
    for (let depth = 0; depth < 4; depth++)
      inner = functional([input(), layer('Functional', 'inner', calls(1000), inner.config)], 'inner')
    const { code, message } = refusal(inner)
    expect([code, message]).to.deep.equal([
      'ERR_MODEL_LOAD',
      'The model has more than 20000 layers, including those of inner models.',
    ])
  })

  it('refuses a constant of more than four million numbers', () => {
    const value = new Array(2 ** 22 + 1).fill(1)
    const sum = {
      ...layer('Add', 'sum', [{ args: [tensor('image'), value], kwargs: {} }]),
      module: 'keras.src.ops.numpy',
    }
    expect(refusal(functional([input(), sum], 'sum'))).to.include({ code: 'ERR_MODEL_UNSUPPORTED' })
  })

  it('refuses a layer that computes in whole numbers', () => {
    const quantized = one(old('image'), {
      dtype: { class_name: 'QuantizedDTypePolicy', config: { name: null } },
    })
    expect(refusal(quantized).message).to.match(/save the model before it is quantized/)
    expect(layersIn(one(old('image'), { dtype: 'mixed_float16' })).layers).to.have.length(2)
  })

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
      'a second output of a layer',
      'ERR_MODEL_UNSUPPORTED',
      one([[['image', 0, 1, {}]]]),
      /output 1 of layer "image"/,
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
  for (const entry of [...catalog.values()].filter(hasGolden)) {
    it(`${entry.name} has the layers and shapes of the catalog`, () => {
      const own = entry.topology()
      // Keras' own MobileNetV3 takes images of any size.
      const list = {
        ...layersIn(goldenJson('applications', `${goldenName(entry)}.config.json`)),
        inputShape: own.inputShape,
      }
      expect(names(list)).to.deep.equal(names(own))
      expect([...inferShapes(list)]).to.deep.equal([...inferShapes(own)])
    })
  }
})

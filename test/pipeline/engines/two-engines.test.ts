import { expect } from 'chai'
import { openTfjs } from '../../../pipeline/engines/tfjs/tfjs.ts'
import { TFJS_LAYERS } from '../../../pipeline/engines/tfjs/tfjs-layers.ts'
import { bytesOf, relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { anyWeights, smallNetwork, type Written } from '../../support/small-network.ts'
import { tinyInput } from '../../support/synthetic.ts'

const TOLERANCE = 1e-4
const IMAGE = [9, 6, 4]
const VECTOR = [7]
const window3 = { kernel_size: [3, 3], filters: 6 }

const NETWORKS: Readonly<Record<string, readonly Written[]>> = {
  Conv2D: [['Conv2D', { ...window3, activation: 'relu' }]],
  'Conv2D, 1 × 1 with stride 2, same': [
    ['Conv2D', { ...window3, kernel_size: 1, strides: 2, padding: 'same' }],
  ],
  'Conv2D, longer strides than the kernel along one axis, same': [
    ['Conv2D', { ...window3, kernel_size: [2, 4], strides: 3, padding: 'same' }],
  ],
  'Conv2D, dilated, same': [['Conv2D', { ...window3, dilation_rate: [2, 1], padding: 'same' }]],
  'Conv2D, in groups': [['Conv2D', { ...window3, groups: 2, padding: 'same' }]],
  DepthwiseConv2D: [['DepthwiseConv2D', { kernel_size: [3, 2], depth_multiplier: 2, padding: 'same' }]],
  'DepthwiseConv2D, 1 × 1 with stride 2, same': [
    ['DepthwiseConv2D', { kernel_size: 1, strides: 2, padding: 'same' }],
  ],
  'DepthwiseConv2D, dilated': [['DepthwiseConv2D', { kernel_size: 2, dilation_rate: 2, activation: 'tanh' }]],
  SeparableConv2D: [['SeparableConv2D', { ...window3, strides: 2, padding: 'same', depth_multiplier: 3 }]],
  BatchNormalization: [['BatchNormalization', { axis: -1, epsilon: 0.01, scale: false }]],
  'Dense on an image': [['Dense', { units: 5, activation: 'sigmoid' }]],
  AveragePooling2D: [['AveragePooling2D', { pool_size: [2, 3], strides: 2, padding: 'same' }]],
  'AveragePooling2D, 1 × 1': [['AveragePooling2D', { pool_size: 1, strides: 2, padding: 'same' }]],
  MaxPooling2D: [['MaxPooling2D', { pool_size: 3, strides: 2, padding: 'same' }]],
  GlobalAveragePooling2D: [['GlobalAveragePooling2D']],
  GlobalMaxPooling2D: [['GlobalMaxPooling2D', { keepdims: true }]],
  ZeroPadding2D: [
    [
      'ZeroPadding2D',
      {
        padding: [
          [0, 1],
          [2, 3],
        ],
      },
    ],
    ['Conv2D', window3],
  ],
  Cropping2D: [
    [
      'Cropping2D',
      {
        cropping: [
          [1, 2],
          [0, 1],
        ],
      },
    ],
  ],
  Flatten: [['Flatten'], ['Dense', { units: 3 }]],
  Reshape: [['Reshape', { target_shape: [6, -1, 4] }]],
  Permute: [['Permute', { dims: [2, 3, 1] }]],
  Rescaling: [['Rescaling', { scale: [1, 2, 3, 4], offset: -0.5 }]],
  ELU: [['ELU', { alpha: 0.5 }]],
  LeakyReLU: [['LeakyReLU', { alpha: 0.1 }]],
  ReLU: [['ReLU', { max_value: 0.5, negative_slope: 0.1, threshold: 0.2 }]],
  Softmax: [['Softmax', { axis: -1 }]],
  Add: [
    ['Conv2D', { filters: 4, kernel_size: 1 }],
    ['Add', {}, ['Conv2D 1', 'input']],
  ],
  Average: [['ELU'], ['Average', {}, ['ELU 1', 'input', 'ELU 1']]],
  Maximum: [['GlobalMaxPooling2D'], ['Maximum', {}, ['GlobalMaxPooling2D 1', 'input']]],
  Minimum: [
    ['GlobalAveragePooling2D', { keepdims: true }],
    ['Minimum', {}, ['input', 'GlobalAveragePooling2D 1']],
  ],
  Multiply: [['GlobalAveragePooling2D'], ['Multiply', {}, ['input', 'GlobalAveragePooling2D 1']]],
  Subtract: [['ELU'], ['Subtract', {}, ['ELU 1', 'input']]],
  Concatenate: [['ELU'], ['Concatenate', { axis: 1 }, ['ELU 1', 'input']]],
  'Activation and Dropout': [
    ['Activation', { activation: 'tanh' }],
    ['Dropout', { rate: 0.5 }],
  ],
}

const ACTIVATIONS = [
  ...['elu', 'exponential', 'gelu', 'hard_silu', 'hard_swish', 'leaky_relu', 'linear', 'log_softmax', 'mish'],
  ...['relu', 'relu6', 'selu', 'sigmoid', 'silu', 'softmax', 'softplus', 'softsign', 'swish', 'tanh'],
]

describe('The two engines', () => {
  for (const [title, layers] of Object.entries(NETWORKS)) {
    it(`give the same numbers: ${title}`, () => compare(IMAGE, layers))
  }

  for (const activation of ACTIVATIONS) {
    it(`give the same numbers: activation ${activation}`, () =>
      compare(VECTOR, [
        ['Rescaling', { scale: 5 }],
        ['Activation', { activation }],
      ]))
  }

  it('have been compared on every layer that both have', () => {
    const compared = new Set(
      Object.values(NETWORKS).flatMap((layers) => layers.map(([className]) => className)),
    )
    expect(TFJS_LAYERS.filter((name) => !compared.has(name))).to.deep.equal([])
  })
})

describe('The engine tfjs', () => {
  const REFUSED: Readonly<Record<string, Written>> = {
    'a class that it does not have': ['LayerNormalization'],
    'channels first': ['Conv2D', { ...window3, data_format: 'channels_first' }],
    'a normalization along another axis': ['BatchNormalization', { axis: 1 }],
    'a softmax along another axis': ['Softmax', { axis: 1 }],
    'an activation that it does not have': ['Activation', { activation: 'hard_sigmoid' }],
  }
  for (const [title, layer] of Object.entries(REFUSED)) {
    it(`refuses ${title}, and names the engine that takes it`, async () => {
      const layers = smallNetwork(IMAGE, [layer])
      const options = {
        layers,
        weights: anyWeights(layers),
        preprocessing: 'none',
        input: 'float32',
        threads: 1,
      } as const
      const error = await openTfjs(options).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error).to.include({ code: 'ERR_MODEL_UNSUPPORTED' })
      expect((error as Error).message).to.match(/the engine tfjs does not have .*; use ENGINE=onnx/)
    })
  }
})

async function compare(inputShape: readonly number[], written: readonly Written[]): Promise<void> {
  const layers = smallNetwork(inputShape, written)
  const weights = anyWeights(layers)
  const pixels = bytesOf(tinyInput(2 * inputShape.reduce((a, b) => a * b)))
  const expected = await withCompiled(layers, weights, {}, (path) =>
    withEngine(path, (engine) => engine.run(pixels, 2)),
  )
  const tfjs = await openTfjs({ layers, weights, preprocessing: 'none', input: 'float32', threads: 1 })
  const found = await tfjs.run(pixels, 2)
  await tfjs.close()
  expect(found.length).to.equal(expected.length)
  expect(relativeError(found, expected)).to.be.below(TOLERANCE)
}

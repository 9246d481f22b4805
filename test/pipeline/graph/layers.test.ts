import { expect } from 'chai'
import { counting, type LayerSketch, outcome, type SmallArray, sketch } from '../../support/small-models.ts'

/* One or two layers at a time, with numbers that can be checked by hand. */
describe('compiled layers', () => {
  async function expectOutcome(
    input: { shape: number[]; values: number[] },
    layers: LayerSketch[],
    expected: number[],
    weights?: Record<string, SmallArray[]>,
  ) {
    const found = await outcome(sketch(input.shape, ...layers), input.values, weights)
    expect(found.length).to.equal(expected.length)
    for (const [i, value] of expected.entries()) expect(found[i]).to.be.closeTo(value, 1e-5, `number ${i}`)
  }

  const image = { shape: [2, 2, 2], values: counting(8) }
  const square = { shape: [3, 3, 1], values: counting(9) }
  const row = { shape: [5], values: [-3, -1, 0, 1, 8] }
  const array = (shape: number[], values: number[]): SmallArray => ({ shape, values })

  it('divides an average at the border by the number of pixels inside the image', () =>
    expectOutcome(
      square,
      [['AveragePooling2D', { pool_size: 2, strides: 2, padding: 'same' }]],
      [3, 4.5, 7.5, 9],
    ))

  it('includes the zeros of a ZeroPadding2D in a maximum, but not those of padding same', async () => {
    const negative = { shape: [2, 2, 1], values: [-1, -2, -3, -4] }
    const pool: LayerSketch = ['MaxPooling2D', { pool_size: 3, strides: 1 }]
    await expectOutcome(negative, [['ZeroPadding2D', { padding: 1 }], pool], [0, 0, 0, 0])
    await expectOutcome(negative, [['MaxPooling2D', { pool_size: 3, strides: 2, padding: 'same' }]], [-1])
    await expectOutcome(
      square,
      [['Activation', { activation: 'relu' }], ['ZeroPadding2D', { padding: 1 }], pool],
      [5, 6, 6, 8, 9, 9, 8, 9, 9],
    )
  })

  it('counts zeros of a ZeroPadding2D as pixels, however many', async () => {
    const one = { shape: [1, 1, 1], values: [8] }
    const same: LayerSketch = ['AveragePooling2D', { pool_size: 2, strides: 2, padding: 'same' }]
    await expectOutcome(one, [['ZeroPadding2D', { padding: 1 }], same], [2, 0, 0, 0])
    const valid: LayerSketch = ['AveragePooling2D', { pool_size: 3, strides: 1 }]
    await expectOutcome(one, [['ZeroPadding2D', { padding: 1 }], valid], [8 / 9])
    const conv: LayerSketch = ['Conv2D', { filters: 1, kernel_size: 1, strides: 2 }]
    const weights = { b: [array([1, 1, 1, 1], [2]), array([1], [0.5])] }
    await expectOutcome(
      one,
      [['ZeroPadding2D', { padding: 2 }], conv],
      [0.5, 0.5, 0.5, 0.5, 16.5, 0.5, 0.5, 0.5, 0.5],
      weights,
    )
    const pool: LayerSketch = ['MaxPooling2D', { pool_size: 1, strides: 2 }]
    await expectOutcome(one, [['ReLU'], ['ZeroPadding2D', { padding: 2 }], pool], [0, 0, 0, 0, 8, 0, 0, 0, 0])
    await expectOutcome(
      { shape: [1, 1, 1], values: [-8] },
      [['ZeroPadding2D', { padding: 2 }], pool],
      [0, 0, 0, 0, -8, 0, 0, 0, 0],
    )
  })

  it('lets two layers see the same padded image', () => {
    const conv = { filters: 1, kernel_size: 2, use_bias: false }
    const layers: LayerSketch[] = [
      [
        'ZeroPadding2D',
        {
          padding: [
            [1, 0],
            [0, 1],
          ],
        },
      ],
      ['Conv2D', conv],
      ['AveragePooling2D', { pool_size: 2, strides: 1 }, ['a']],
      ['Subtract', {}, ['b', 'c']],
    ]
    const ones = array([2, 2, 1, 1], [1, 1, 1, 1])
    const sums = [3, 5, 3, 12, 16, 9, 24, 28, 15]
    return expectOutcome(
      square,
      layers,
      sums.map((sum) => sum - sum / 4),
      { b: [ones] },
    )
  })

  it('keeps pixels together when an image is flattened, reshaped or permuted', async () => {
    await expectOutcome(image, [['Flatten']], counting(8))
    await expectOutcome(
      image,
      [['Activation', { activation: 'relu' }], ['Flatten'], ['Activation', { activation: 'relu' }]],
      counting(8),
    )
    await expectOutcome(image, [['Reshape', { target_shape: [4, -1] }]], counting(8))
    await expectOutcome(image, [['Permute', { dims: [3, 1, 2] }]], [1, 3, 5, 7, 2, 4, 6, 8])
  })

  it('multiplies a flattened image by the rows that belong to its pixels', () => {
    const kernel = array([8, 2], counting(16))
    const pool: LayerSketch = ['MaxPooling2D', { pool_size: 1 }]
    return expectOutcome(
      image,
      [pool, ['Flatten'], ['Dropout', { rate: 0.5 }], ['Dense', { units: 2 }]],
      [372.5, 408.5],
      {
        d: [kernel, array([2], [0.5, 0.5])],
      },
    )
  })

  it('normalizes a flattened image feature by feature', () => {
    const each = array([8], counting(8))
    const one = array([8], Array(8).fill(1))
    const layers: LayerSketch[] = [
      ['MaxPooling2D', { pool_size: 1 }],
      ['Flatten'],
      ['BatchNormalization', { epsilon: 3 }],
    ]
    const expected = counting(8).map((x) => (x * (x - 1)) / 2 + x)
    return expectOutcome(image, layers, expected, { c: [each, each, one, one] })
  })

  it('folds a normalization into the layer before, unless another layer uses its output', async () => {
    const dense: LayerSketch = ['Dense', { units: 1 }]
    const norm: LayerSketch = ['BatchNormalization', { epsilon: 0 }]
    const weights = {
      a: [array([2, 1], [1, 2]), array([1], [3])],
      b: [2, 5, 1, 4].map((value) => array([1], [value])),
    }
    // (1·1 + 2·2 + 3 − 1) / 2 · 2 + 5
    await expectOutcome({ shape: [2], values: [1, 2] }, [dense, norm], [12], weights)
    await expectOutcome({ shape: [2], values: [1, 2] }, [dense, norm, ['Add', {}, ['a', 'b']]], [20], weights)
    const rectified: LayerSketch = ['Dense', { units: 1, activation: 'relu' }]
    await expectOutcome({ shape: [2], values: [-1, -2] }, [rectified, norm], [4], weights)
  })

  it('convolves in groups', () => {
    const kernel = array([1, 1, 1, 4], [1, 10, 100, 1000])
    return expectOutcome(
      { shape: [1, 1, 2], values: [3, 5] },
      [['Conv2D', { filters: 4, kernel_size: 1, groups: 2, use_bias: false }]],
      [3, 30, 500, 5000],
      { a: [kernel] },
    )
  })

  it('has the activations of Keras', async () => {
    const cases: [LayerSketch, number[]][] = [
      [
        ['ReLU', {}],
        [0, 0, 0, 1, 8],
      ],
      [
        ['ReLU', { max_value: 6 }],
        [0, 0, 0, 1, 6],
      ],
      [
        ['ReLU', { negative_slope: 0.5 }],
        [-1.5, -0.5, 0, 1, 8],
      ],
      [
        ['ReLU', { negative_slope: 0.5, threshold: 1, max_value: 4 }],
        [-2, -1, -0.5, 1, 4],
      ],
      [
        ['LeakyReLU', { alpha: 0.1 }],
        [-0.3, -0.1, 0, 1, 8],
      ],
      [
        ['LeakyReLU', { negative_slope: 0.2 }],
        [-0.6, -0.2, 0, 1, 8],
      ],
      [
        ['ELU', { alpha: 2 }],
        [2 * Math.expm1(-3), 2 * Math.expm1(-1), 0, 1, 8],
      ],
      [['Activation', { activation: 'swish' }], row.values.map((x) => x / (1 + Math.exp(-x)))],
      [['Activation', { activation: 'softsign' }], row.values.map((x) => x / (1 + Math.abs(x)))],
      [['Activation', { activation: 'softplus' }], row.values.map((x) => Math.log1p(Math.exp(x)))],
      [
        ['Activation', { activation: 'hard_silu' }],
        row.values.map((x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6),
      ],
      [
        ['Activation', { activation: 'gelu' }],
        [-0.00404951, -0.15865525, 0, 0.84134475, 8],
      ],
      [
        ['Activation', { activation: 'relu6' }],
        [0, 0, 0, 1, 6],
      ],
      [
        ['Rescaling', { scale: 0.5, offset: -1 }],
        [-2.5, -1.5, -1, -0.5, 3],
      ],
    ]
    for (const [layer, expected] of cases) await expectOutcome(row, [layer], expected)
  })

  it('joins and crops along each axis of an image', async () => {
    const twice = (axis: number): LayerSketch[] => [['ReLU'], ['Concatenate', { axis }, ['input', 'a']]]
    await expectOutcome(image, twice(1), [...counting(8), ...counting(8)])
    await expectOutcome(image, twice(2), [1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8])
    await expectOutcome(image, twice(-1), [1, 2, 1, 2, 3, 4, 3, 4, 5, 6, 5, 6, 7, 8, 7, 8])
    await expectOutcome(
      image,
      [
        [
          'Cropping2D',
          {
            cropping: [
              [1, 0],
              [0, 1],
            ],
          },
        ],
      ],
      [5, 6],
    )
  })

  it('merges number by number, a vector with every pixel', async () => {
    const merges: [string, number[]][] = [
      ['Add', [2, 4, 6, 8, 10, 12, 14, 16]],
      ['Average', counting(8)],
      ['Multiply', [1, 4, 9, 16, 25, 36, 49, 64]],
      ['Maximum', counting(8)],
      ['Minimum', counting(8)],
      ['Subtract', Array(8).fill(0)],
    ]
    for (const [className, expected] of merges)
      await expectOutcome(image, [['ReLU'], [className, {}, ['input', 'a']]], expected)
    await expectOutcome(
      image,
      [['GlobalMaxPooling2D'], ['Multiply', {}, ['input', 'a']]],
      [7, 16, 21, 32, 35, 48, 49, 64],
    )
  })

  it('applies a dense layer and a softmax to the channels of every pixel', async () => {
    const kernel = array([2, 1], [10, 1])
    await expectOutcome(image, [['Dense', { units: 1 }]], [12.5, 34.5, 56.5, 78.5], {
      a: [kernel, array([1], [0.5])],
    })
    const half = 1 / (1 + Math.E)
    await expectOutcome(
      image,
      [['Softmax']],
      [half, 1 - half, half, 1 - half, half, 1 - half, half, 1 - half],
    )
  })

  it('works on sequences', async () => {
    const sequence = { shape: [3, 2], values: counting(6) }
    await expectOutcome(sequence, [['UpSampling1D', { size: 2 }]], [1, 2, 1, 2, 3, 4, 3, 4, 5, 6, 5, 6])
    await expectOutcome(sequence, [['Cropping1D', { cropping: [1, 0] }]], [3, 4, 5, 6])
    await expectOutcome(sequence, [['GlobalMaxPooling1D']], [5, 6])
    await expectOutcome(
      sequence,
      [['GlobalAveragePooling1D', { data_format: 'channels_first' }]],
      [1.5, 3.5, 5.5],
    )
  })

  it('crops at random in training only: otherwise it resizes the largest part of the right proportions', async () => {
    const big = { shape: [4, 4, 1], values: counting(16) }
    await expectOutcome(big, [['RandomCrop', { height: 2, width: 2 }]], [3.5, 5.5, 11.5, 13.5])
    await expectOutcome(big, [['RandomCrop', { height: 1, width: 2 }]], [7.5, 9.5])
    await expectOutcome(big, [['RandomCrop', { height: 4, width: 4 }]], counting(16))
  })

  it('compares numbers, and takes every number but zero for true', async () => {
    const both: [string, number[]][] = [
      ['ops.LogicalAnd', [1, 1, 0, 1, 1]],
      ['ops.LogicalOr', [1, 1, 0, 1, 1]],
      ['ops.Equal', [1, 0, 1, 1, 0]],
      ['ops.NotEqual', [0, 1, 0, 0, 1]],
      ['ops.Less', [0, 1, 0, 0, 0]],
      ['ops.LessEqual', [1, 1, 1, 1, 0]],
      ['ops.GreaterEqual', [1, 0, 1, 1, 1]],
    ]
    // The input is −3, −1, 0, 1, 8.
    const against = [-3, 1, 0, 1, 7]
    for (const [className, expected] of both) {
      const list = sketch(
        [5],
        ['Constant', { value: against, shape: [5] }, []],
        [className, {}, ['input', 'a']],
      )
      expect(await outcome(list, row.values), className).to.deep.equal(expected)
    }
    await expectOutcome(row, [['ops.LogicalNot']], [0, 0, 1, 0, 0])
    await expectOutcome(row, [['ops.Any', { axis: 1, keepdims: true }]], [1])
    await expectOutcome(row, [['ops.All', { axis: 1, keepdims: true }]], [0])
    await expectOutcome(row, [['ops.Argmin', { axis: 1, keepdims: true }]], [0])
    await expectOutcome(row, [['ops.Norm', { axis: 1, ord: 1, keepdims: true }]], [13])
  })

  it('uses the weights of another layer where Keras shares one layer', async () => {
    const list = sketch([1], ['Dense', { units: 1 }], ['Dense', { units: 1 }])
    const layers = list.layers.map((layer) => (layer.name === 'b' ? { ...layer, weightsOf: 'a' } : layer))
    const weights = { a: [array([1, 1], [2]), array([1], [1])] }
    expect(await outcome({ ...list, layers }, [3], weights)).to.deep.equal([15])
  })

  it('leaves out layers that the output does not depend on, and their weights', () =>
    outcome({ ...sketch(row.shape, ['ReLU'], ['Dense', { units: 3 }]), output: 'a' }, row.values).then(
      (found) => expect(found).to.deep.equal([0, 0, 0, 1, 8]),
    ))
})

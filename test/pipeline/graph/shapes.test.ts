import { expect } from 'chai'
import { PipelineError } from '../../../pipeline/errors.ts'
import { expectedArrays, inferShapes } from '../../../pipeline/graph/shapes.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { type LayerSketch, sketch } from '../../support/small-models.ts'

describe('shapes', () => {
  const shapeAfter = (input: number[], ...layers: LayerSketch[]) => {
    const list = sketch(input, ...layers)
    return inferShapes(list).get(list.output)
  }

  it("rounds up for 'same' and down for 'valid'", () => {
    const conv = { filters: 4, kernel_size: [3, 3], strides: [2, 2] }
    expect(shapeAfter([7, 8, 3], ['Conv2D', { ...conv, padding: 'same' }])).to.deep.equal([4, 4, 4])
    expect(shapeAfter([7, 8, 3], ['Conv2D', { ...conv, padding: 'valid' }])).to.deep.equal([3, 3, 4])
    const dilated = { ...conv, strides: 1, dilation_rate: 2 }
    expect(shapeAfter([7, 8, 3], ['Conv2D', dilated])).to.deep.equal([3, 4, 4])
  })

  it('fills in the one open size of a Reshape', () => {
    expect(shapeAfter([2, 3, 4], ['Reshape', { target_shape: [-1, 6] }])).to.deep.equal([4, 6])
  })

  it('infers the shapes of a Dense of 10^12 units like any other', () => {
    const list = sketch([4], ['Dense', { units: 1e12 }])
    expect(inferShapes(list).get('a')).to.deep.equal([1e12])
    expect(expectedArrays(list).get('a')).to.deep.equal([
      { role: 'kernel', shape: [4, 1e12] },
      { role: 'bias', shape: [1e12] },
    ])
  })

  it('names layer, class and both shapes of inputs that do not fit together', () => {
    const list = sketch([4, 4, 3], ['MaxPooling2D', {}], ['Add', {}, ['input', 'a']])
    expect(() => inferShapes(list)).to.throw(PipelineError, /'b' \(Add\).*\[4, 4, 3\].*\[2, 2, 3\]/)
  })

  for (const className of ['LSTM', 'Lambda', '__proto__', 'constructor', 'toString']) {
    it(`names the layer and the class ${className}, and says what to do`, () => {
      const error = errorOf(sketch([4], ['Flatten'], [className]))
      expect(error.code).to.equal('ERR_MODEL_UNSUPPORTED')
      expect(error.message)
        .to.match(/^Layer 'b' /)
        .and.include(`(${className})`)
      expect(error.message).to.include("export the model to ONNX (model.export('model.onnx', format='onnx'))")
    })
  }

  it('names every layer that it does not know at once, and every unknown option', () => {
    const error = errorOf(sketch([4], ['LSTM'], ['Flatten', { speed: 7 }], ['Lambda'], ['MyLayer']))
    expect(error.code).to.equal('ERR_MODEL_UNSUPPORTED')
    expect(error.message).to.match(/^4 layers cannot be taken\. Layer 'a' \(LSTM\)/)
    expect(error.message).to.match(
      /'b' \(Flatten\): it has the option "speed" \(7\), which Tandem does not know/,
    )
    expect(error.message).to.match(/'c' \(Lambda\): .*its code is never run/)
    expect(error.message).to.match(/'d' \(MyLayer\): .*docs\/models\.md/)
  })

  it('refuses a layer with more inputs than any network has', () => {
    const list = sketch([4], ['Add'])
    const layers = list.layers.map((layer) =>
      layer.className === 'Add'
        ? { ...layer, inputs: Array<string>(200_000).fill(layer.inputs[0] ?? '') }
        : layer,
    )
    const error = errorOf({ ...list, layers })
    expect(error.code).to.equal('ERR_MODEL_LOAD')
    expect(error.message).to.contain('200000 inputs, and the limit is 10000')
  })

  it('names the first twenty layers of very many that it does not know', () => {
    const error = errorOf(sketch([4], ...Array.from({ length: 25 }, (): LayerSketch => ['LSTM'])))
    expect(error.message)
      .to.match(/^25 layers cannot be taken/)
      .and.match(/ And 5 more\.$/)
    expect(error.message.match(/\(LSTM\)/g)).to.have.length(20)
  })

  const wrong: [string, LayerSketch, string][] = [
    ['units that are a text', ['Dense', { units: '__import__("os")' }], 'ERR_MODEL_LOAD'],
    ['units that are missing', ['Dense', {}], 'ERR_MODEL_LOAD'],
    ['filters that are negative', ['Conv2D', { filters: -3, kernel_size: 3 }], 'ERR_MODEL_LOAD'],
    ['a kernel of half a pixel', ['Conv2D', { filters: 3, kernel_size: [0.5, 1] }], 'ERR_MODEL_LOAD'],
    ['strides of zero', ['MaxPooling2D', { strides: 0 }], 'ERR_MODEL_LOAD'],
    ['a window larger than the image', ['MaxPooling2D', { pool_size: 9 }], 'ERR_MODEL_LOAD'],
    ['sizes beyond counting', ['ZeroPadding2D', { padding: Number.MAX_SAFE_INTEGER }], 'ERR_MODEL_LOAD'],
    ['a reshape to another number', ['Reshape', { target_shape: [7] }], 'ERR_MODEL_LOAD'],
    ['two open sizes', ['Reshape', { target_shape: [-1, -1] }], 'ERR_MODEL_LOAD'],
    ['a cropping that leaves nothing', ['Cropping2D', { cropping: 2 }], 'ERR_MODEL_LOAD'],
    ['dims that do not permute', ['Permute', { dims: [1, 1, 2] }], 'ERR_MODEL_LOAD'],
    ['an axis that is not there', ['Concatenate', { axis: 7 }, ['input', 'input']], 'ERR_MODEL_LOAD'],
    ['a second input for a pooling', ['MaxPooling2D', {}, ['input', 'input']], 'ERR_MODEL_LOAD'],
    ['an input that does not exist', ['Flatten', {}, ['nowhere']], 'ERR_MODEL_LOAD'],
    ['no input at all', ['Flatten', {}, []], 'ERR_MODEL_LOAD'],
    ['a resize beyond any image', ['Resizing', { height: 2 ** 22, width: 4 }], 'ERR_MODEL_LOAD'],
    ['an axis repeated beyond any image', ['ops.Repeat', { repeats: 1_000_000, axis: 1 }], 'ERR_MODEL_LOAD'],
    ['cells far smaller than a pixel', ['AdaptiveMaxPooling2D', { output_size: 400 }], 'ERR_MODEL_LOAD'],
    ['a mean over the batch', ['ops.Mean', { axis: 0 }], 'ERR_MODEL_UNSUPPORTED'],
    ['a mean over everything', ['ops.Mean', {}], 'ERR_MODEL_UNSUPPORTED'],
    ['a reshape of the batch', ['ops.Reshape', { newshape: [-1, 5] }], 'ERR_MODEL_UNSUPPORTED'],
    ['a transpose of the batch', ['ops.Transpose', { axes: [1, 0, 2, 3] }], 'ERR_MODEL_UNSUPPORTED'],
    ['one image of the batch', ['ops.GetItem', { key: [0] }], 'ERR_MODEL_UNSUPPORTED'],
    ['an equation over the batch', ['ops.Einsum', { subscripts: 'nhwc->hwc' }], 'ERR_MODEL_UNSUPPORTED'],
    ['an unknown activation', ['Activation', { activation: 'mine' }], 'ERR_MODEL_UNSUPPORTED'],
    [
      'an activation that is an unknown layer',
      ['Dense', { units: 1, activation: { className: 'Mine', config: {} } }],
      'ERR_MODEL_UNSUPPORTED',
    ],
    ['a second input layer', ['InputLayer', {}, []], 'ERR_MODEL_UNSUPPORTED'],
  ]
  for (const [what, layer, code] of wrong) {
    it(`refuses ${what}`, () => {
      const error = errorOf(sketch([4, 4, 3], layer))
      expect(error.code).to.equal(code)
      expect(error.message).to.include("'a'")
    })
  }

  it('multiplies an image with constant matrices as long as the batch stays the first axis', () => {
    const product = (constant: number[], image: number[], order: string[]) => {
      const value = Array<number>(constant.reduce((a, b) => a * b)).fill(1)
      return sketch(image, ['Constant', { value, shape: constant }, []], ['ops.Matmul', {}, order])
    }
    const shape = (list: LayerList) => inferShapes(list).get('b')
    expect(shape(product([5, 4], [3, 4, 2], ['a', 'input']))).to.deep.equal([3, 5, 2])
    expect(shape(product([3, 5, 4], [1, 4, 2], ['a', 'input']))).to.deep.equal([3, 5, 2])
    expect(shape(product([2, 6], [3, 4, 2], ['input', 'a']))).to.deep.equal([3, 4, 6])
    expect(shape(product([2, 6], [2], ['input', 'a']))).to.deep.equal([6])
    const refused: [number[], number[], string[]][] = [
      // Numbers of matrices that do not fit.
      [
        [7, 5, 4],
        [3, 4, 2],
        ['a', 'input'],
      ],
      // Axes that would come before the batch, or be multiplied with it.
      [
        [1, 1, 3, 5, 4],
        [3, 4, 2],
        ['a', 'input'],
      ],
      [
        [6, 3, 5, 4],
        [3, 4, 2],
        ['a', 'input'],
      ],
    ]
    for (const one of refused)
      expect(errorOf(product(...one)).code, String(one)).to.equal('ERR_MODEL_UNSUPPORTED')
  })

  it('lists no places of an endless axis', () => {
    const endless: LayerSketch = ['Dense', { units: 1e12 }]
    const full = { start: null, stop: null, step: null }
    const listing: LayerSketch[] = [
      ['ops.Flip', { axis: 1 }],
      ['ops.Roll', { shift: 1, axis: 1 }],
      ['ops.GetItem', { key: [full, { ...full, step: -1 }] }],
      ['ops.Split', { indices_or_sections: 2, axis: 1 }],
      ['ops.Tile', { repeats: [1, 2] }],
      [
        'ops.Pad',
        {
          pad_width: [
            [0, 0],
            [1, 1],
          ],
          mode: 'reflect',
        },
      ],
    ]
    for (const layer of listing) {
      const error = errorOf(sketch([4], endless, layer))
      expect(error.code).to.equal('ERR_MODEL_LOAD')
      expect(error.message).to.match(/places, the limit is/)
    }
    expect(errorOf(sketch([4, 4], ['UpSampling1D', { size: 1e9 }])).message).to.match(/places, the limit is/)
  })

  it('refuses two layers of one name', () => {
    const list = sketch([4], ['Flatten'], ['Flatten'])
    const twice = list.layers.map((layer) => ({ ...layer, name: layer.name === 'b' ? 'a' : layer.name }))
    expect(errorOf({ ...list, layers: twice }).code).to.equal('ERR_MODEL_LOAD')
  })

  it('refuses an output that is not a layer', () => {
    expect(errorOf({ ...sketch([4], ['Flatten']), output: '__proto__' }).code).to.equal('ERR_MODEL_LOAD')
  })

  function errorOf(list: LayerList): PipelineError {
    try {
      inferShapes(list)
    } catch (error) {
      if (error instanceof PipelineError) return error
      throw error
    }
    throw new Error('nothing was thrown')
  }
})

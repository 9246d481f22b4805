import { expect } from 'chai'
import type { PipelineError } from '../../../pipeline/errors.ts'
import { compileGraph } from '../../../pipeline/graph/compile.ts'
import type { WeightStore } from '../../../pipeline/graph/weight-store.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { errorOf } from '../../support/broker.ts'
import { withCompiled, withEngine } from '../../support/compiled.ts'
import { counting, type SmallArray, sketch, storeOf } from '../../support/small-models.ts'

describe('compiling', () => {
  const dense = sketch([4], ['Dense', { units: 7 }])
  const zeros = (...shape: number[]): SmallArray => ({
    shape,
    values: Array(shape.reduce((a, b) => a * b)).fill(0),
  })
  const ignore = async () => undefined
  const options = { preprocessing: 'none', input: 'float32', dataFile: 'model.data' } as const

  async function refusal(
    list: LayerList,
    weights: WeightStore | Record<string, SmallArray[]>,
  ): Promise<PipelineError> {
    const store = 'read' in weights ? (weights as WeightStore) : storeOf(weights)
    return (await errorOf(compileGraph(list, store, options, ignore))) as PipelineError
  }

  it('names the layer and both shapes for a transposed kernel', async () => {
    const { code, message } = await refusal(dense, { a: [zeros(7, 4), zeros(7)] })
    expect(code).to.equal('ERR_MODEL_LOAD')
    expect(message).to.include("'a' (Dense)").and.include('[4, 7]').and.include('[7, 4]')
  })

  it('names a missing array, and one too many', async () => {
    expect((await refusal(dense, { a: [zeros(4, 7)] })).message).to.include(
      'its bias of shape [7] is missing',
    )
    expect((await refusal(dense, { a: [zeros(4, 7), zeros(7), zeros(7)] })).message).to.include('3 arrays')
  })

  it('compares 10^12 units with the shape in the file, and allocates nothing', async () => {
    const { message } = await refusal(sketch([4], ['Dense', { units: 1e12 }]), { a: [zeros(4, 7), zeros(7)] })
    expect(message).to.include('1000000000000').and.include('[4, 7]')
  })

  it('compares all shapes before it reads one array', async () => {
    const list = sketch([4], ['Dense', { units: 7 }], ['Dense', { units: 2 }])
    const store = storeOf({ a: [zeros(4, 7), zeros(7)], b: [zeros(2, 7), zeros(2)] })
    const untouched = { ...store, read: () => Promise.reject(new Error('was read')) }
    expect((await refusal(list, untouched)).message).to.include("'b' (Dense)")
  })

  it('refuses an array whose length differs from its shape', async () => {
    const store = { ...storeOf({ a: [zeros(4, 7), zeros(7)] }), read: async () => new Float32Array(3) }
    expect((await refusal(dense, store)).message).to.include('came with 3 numbers')
  })

  it('refuses padding that would make an image too large for memory', async () => {
    const list = sketch([4, 4, 1], ['ZeroPadding2D', { padding: 1e6 }], ['GlobalMaxPooling2D'])
    expect((await refusal(list, {})).message).to.include('too large')
  })

  it('refuses an activation that it does not know, by its name', async () => {
    for (const activation of ['glu', '__proto__', 7, { class_name: 'Own' }]) {
      const { code } = await refusal(sketch([4], ['Activation', { activation }]), {})
      expect(code).to.equal('ERR_MODEL_UNSUPPORTED')
    }
  })

  it('refuses a preprocessing that does not fit the input', async () => {
    const caffe = { ...options, preprocessing: 'caffe' } as const
    const { code } = await errorOf(compileGraph(sketch([28, 28, 1], ['Flatten']), storeOf(), caffe, ignore))
    expect(code).to.equal('ERR_MODEL_SETTINGS')
  })

  it('spells out the axes behind the dots of an equation, which WebGPU does not know', async () => {
    const list = sketch([5, 6, 4], ['EinsumDense', { equation: '...d,de->...e', output_shape: [5, 6, 3] }])
    const model = await compileGraph(list, storeOf({ a: [zeros(4, 3)] }), options, ignore)
    expect(Buffer.from(model).toString('latin1')).to.include('abcd,de->abce').and.not.include('...')
  })

  it('aligns every array to a page', async () => {
    let bytes = 0
    const list = sketch([64], ['Dense', { units: 65 }], ['Dense', { units: 64 }])
    const store = storeOf({ a: [zeros(64, 65), zeros(65)], b: [zeros(65, 64), zeros(64)] })
    await compileGraph(list, store, options, async (piece) => {
      bytes += piece.length
    })
    // 16 640 bytes, filled up to five pages, and 16 640 more; what is smaller than a page is in the model itself.
    expect(bytes).to.equal(5 * 4096 + 16_640)
  })

  const pixels = [0, 51, 255, 102, 1, 254]
  const modes = {
    none: pixels,
    unit: pixels.map((value) => value / 255),
    tf: pixels.map((value) => value / 127.5 - 1),
    caffe: [255 - 103.939, 51 - 116.779, 0 - 123.68, 254 - 103.939, 1 - 116.779, 102 - 123.68],
    torch: pixels.map((value, i) => {
      const [mean = 0, deviation = 1] =
        [
          [0.485, 0.229],
          [0.456, 0.224],
          [0.406, 0.225],
        ][i % 3] ?? []
      return (value / 255 - mean) / deviation
    }),
  }
  for (const [mode, expected] of Object.entries(modes)) {
    it(`preprocesses the bytes of an image as Keras does: ${mode}`, async () => {
      const preprocessing = mode as keyof typeof modes
      const found = await withCompiled(
        sketch([1, 2, 3], ['Flatten']),
        storeOf(),
        { preprocessing, input: 'uint8' },
        (path) => withEngine(path, (engine) => engine.run(Uint8Array.from(pixels), 1)),
      )
      for (const [i, value] of expected.entries()) expect(found[i]).to.be.closeTo(value, 1e-4)
    })
  }

  it('compiles a model whose layers have hostile names', async () => {
    const names: Record<string, string> = { input: '__proto__', a: '../../escape', b: 'input', c: '' }
    const list = sketch([2], ['ReLU'], ['ReLU'], ['Add', {}, ['a', 'b']])
    const renamed = {
      ...list,
      output: '',
      layers: list.layers.map((layer) => ({
        ...layer,
        name: names[layer.name] ?? '',
        inputs: layer.inputs.map((input) => names[input] ?? ''),
      })),
    }
    const found = await withCompiled(renamed, storeOf(), { input: 'uint8' }, (path) =>
      withEngine(path, (engine) => engine.run(Uint8Array.from(counting(2)), 1)),
    )
    expect([...found]).to.deep.equal([2, 4])
  })
})

import { expect } from 'chai'
import { OPERATION_KINDS } from '../../../pipeline/graph/kinds.ts'
import { readKerasConfig } from '../../../pipeline/weights/keras/keras-config.ts'
import { TENSORFLOW_FUNCTIONS } from '../../../pipeline/weights/keras/tensorflow-functions.ts'
import { outcome } from '../../support/small-models.ts'

type Node = readonly unknown[]

/** The answer of a model of Keras 2 that calls one function of TensorFlow on an input of this shape. */
function answer(shape: number[], values: number[], called: string, node: Node): Promise<number[]> {
  const input = {
    class_name: 'InputLayer',
    name: 'x',
    config: { name: 'x', batch_input_shape: [null, ...shape] },
    inbound_nodes: [],
  }
  const fn = {
    class_name: 'TFOpLambda',
    name: 'fn',
    config: { name: 'fn', function: called },
    inbound_nodes: [node],
  }
  const config = { layers: [input, fn], input_layers: [['x', 0, 0]], output_layers: [['fn', 0, 0]] }
  return outcome(readKerasConfig({ class_name: 'Functional', config }, { keras: 2 }).list, values)
}

const on = (kwargs: object): Node => ['x', 0, 0, kwargs]

describe('functions of TensorFlow in models of Keras 2', () => {
  for (const [name, { op, parameters, defaults = {} }] of TENSORFLOW_FUNCTIONS) {
    it(`are operations that have the same parameters: ${name}`, () => {
      const kind = OPERATION_KINDS.get(op)
      const tensors = kind?.call?.tensors === 'list' ? ['list'] : (kind?.call?.tensors ?? [])
      const known = [...tensors, ...(kind?.options ?? [])]
      const used = [
        ...Object.values(parameters).filter((one) => typeof one === 'string'),
        ...Object.keys(defaults),
      ]
      expect(used.filter((one) => !known.includes(one as string))).to.deep.equal([])
      expect(tensors.filter((one) => !used.includes(one))).to.deep.equal([])
    })
  }

  it('compute what TensorFlow computes', async () => {
    const row = [-2, -1, 0, 3]
    const expected: [called: string, kwargs: object, numbers: number[]][] = [
      ['math.maximum', { y: 0.5 }, [0.5, 0.5, 0.5, 3]],
      ['math.floordiv', { y: 2 }, [-1, -1, 0, 1]],
      ['math.floormod', { y: 2 }, [0, 1, 0, 1]],
      ['nn.leaky_relu', { alpha: 0.5 }, [-1, -0.5, 0, 3]],
      ['nn.leaky_relu', {}, [-0.4, -0.2, 0, 3]],
      ['math.reduce_sum', { axis: 1, keepdims: true }, [0]],
      ['math.reduce_max', { axis: -1, keepdims: true }, [3]],
      ['clip_by_value', { clip_value_min: -1, clip_value_max: 1 }, [-1, -1, 0, 1]],
      ['reverse', { axis: [1] }, [3, 0, -1, -2]],
      ['tile', { multiples: [1, 2] }, [...row, ...row]],
      [
        'pad',
        {
          paddings: [
            [0, 0],
            [1, 0],
          ],
          mode: 'CONSTANT',
          constant_values: 7,
        },
        [7, ...row],
      ],
      [
        'pad',
        {
          paddings: [
            [0, 0],
            [1, 1],
          ],
          mode: 'REFLECT',
        },
        [-1, ...row, 0],
      ],
      ['reshape', { shape: [-1, 2, 2] }, row],
      ['expand_dims', { axis: 1 }, row],
      ['cast', { dtype: 'int32' }, row],
      ['math.l2_normalize', { axis: 1 }, row.map((x) => x / Math.sqrt(14))],
      ['split', { num_or_size_splits: [1, 3], axis: 1 }, [-2]],
      ['concat', { axis: 1 }, row],
    ]
    for (const [called, kwargs, numbers] of expected) {
      const found = await answer([4], row, called, on(kwargs))
      expect(found.length, called).to.equal(numbers.length)
      for (const [i, value] of numbers.entries())
        expect(found[i], `${called} ${i}`).to.be.closeTo(value, 1e-5)
    }
  })

  it('compute gelu exactly, unless they are asked for the approximation', async () => {
    const [exact = 0] = await answer([1], [1], 'nn.gelu', on({}))
    const [approximate = 0] = await answer([1], [1], 'nn.gelu', on({ approximate: true }))
    expect(exact).to.be.closeTo(0.8413447, 1e-6)
    expect(approximate).to.be.closeTo(0.841192, 1e-6)
  })

  it('pool images', async () => {
    const image = Array.from({ length: 16 }, (_, i) => i)
    const pool = { ksize: 2, strides: 2, padding: 'VALID' }
    expect(await answer([4, 4, 1], image, 'nn.max_pool2d', on(pool))).to.deep.equal([5, 7, 13, 15])
    expect(await answer([4, 4, 1], image, 'nn.avg_pool2d', on(pool))).to.deep.equal([2.5, 4.5, 10.5, 12.5])
  })

  it('are refused by name where they are not known', async () => {
    const error = await answer([1], [1], 'signal.fft', on({})).catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'ERR_MODEL_UNSUPPORTED' })
    expect((error as Error).message).to.match(
      /'fn' \(ops\.tf\.signal\.fft\): Tandem does not have this class/,
    )
  })
})

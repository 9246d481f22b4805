import { broadcastShapes } from '../axes.ts'
import { batchless, type Kind, kind, type Operand } from '../kind.ts'
import { layerError, notSupported, quote, shapeText } from '../layer-config.ts'
import { anything } from '../options.ts'
import { plain, plainValue } from '../value.ts'

/* Products of matrices, and of tensors by the equation of an Einstein sum. */

const matmul = kind(
  {},
  (_, [a, b = a], layer) => {
    const whole = (x: Operand) => (x.batched ? [1, ...x.shape] : [...x.shape])
    const [left, right] = [whole(a), whole(b)]
    if (left.length < 2 || right.length < 2) throw notSupported(layer, 'an input is a vector without batch')
    if (
      (a.batched && b.batched && (left.length !== right.length || left.length < 3)) ||
      (b.batched && right.length < 3)
    )
      throw notSupported(layer, 'its inputs would be multiplied along the batch, which would mix images')
    if (left.at(-1) !== right.at(-2))
      throw layerError(
        layer,
        `inputs of shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} do not fit together`,
      )
    const batched = a.batched || b.batched
    const leading = broadcastShapes(left.slice(0, -2), right.slice(0, -2))
    const result = [...(leading ?? []), left.at(-2) ?? 1, right.at(-1) ?? 1]
    // The batch must stay the first axis.
    const isFirst = [a, b].every((x) => !x.batched || x.shape.length + 1 === result.length)
    if (!leading || !isFirst || (batched && (leading[0] ?? 1) !== 1))
      throw notSupported(
        layer,
        `inputs of shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} are not supported`,
      )
    const shape = batched ? result.slice(1) : result
    return {
      shape,
      ...batchless({ batched }),
      emit({ graph, inputs: [x, y = x] }) {
        const tensor = graph.node('MatMul', [plain(graph, x), plain(graph, y)])
        return plainValue(shape, tensor, batchless({ batched }))
      },
    }
  },
  { inputs: [2, 2], call: { tensors: ['x1', 'x2'] } },
)

const EQUATION = /^[a-zA-Z]+(,[a-zA-Z]+)*->[a-zA-Z]*$/

const einsum = kind(
  { subscripts: anything },
  ({ subscripts }, inputs, layer) => {
    const equation = typeof subscripts === 'string' ? subscripts.replaceAll(' ', '') : ''
    if (!EQUATION.test(equation) || equation.length > 100)
      throw notSupported(layer, `its equation is ${quote(subscripts)}`)
    const [from = '', to = ''] = equation.split('->')
    const terms = from.split(',')
    const sizes = new Map<string, number>()
    const batch = to[0] ?? ''
    for (const [i, x] of inputs.entries()) {
      const letters = [...(terms[i] ?? '')]
      const own = x.batched ? letters.slice(1) : letters
      if (own.length !== x.shape.length || terms.length !== inputs.length)
        throw layerError(layer, `its equation ${quote(equation)} does not fit its inputs`)
      if (x.batched ? letters[0] !== batch || own.includes(batch) : own.includes(batch))
        throw notSupported(layer, `its equation ${quote(equation)} would mix images`)
      for (const [axis, letter] of own.entries()) {
        const size = x.shape[axis] ?? 1
        if ((sizes.get(letter) ?? size) !== size)
          throw layerError(layer, `its equation ${quote(equation)} does not fit its inputs`)
        sizes.set(letter, size)
      }
    }
    if (!inputs.some(({ batched }) => batched)) throw notSupported(layer, 'all its inputs are constants')
    const shape = [...to.slice(1)].map((letter) => {
      const size = sizes.get(letter)
      if (size !== undefined) return size
      throw layerError(layer, `its equation ${quote(equation)} has an unknown axis ${letter}`)
    })
    return {
      shape,
      emit: ({ graph, inputs: values }) =>
        plainValue(
          shape,
          graph.node(
            'Einsum',
            values.map((value) => plain(graph, value)),
            { equation },
          ),
        ),
    }
  },
  { inputs: [1, 8], call: { tensors: 'list' } },
)

export const PRODUCTS: readonly (readonly [string, Kind])[] = [
  ['Einsum', einsum],
  ['Matmul', matmul],
]

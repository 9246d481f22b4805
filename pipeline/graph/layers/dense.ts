import { elements } from '../axes.ts'
import type { Kind } from '../kind.ts'
import { batchless, kind, readRequired } from '../kind.ts'
import { layerError, notSupported, quote } from '../layer-config.ts'
import { INT64 } from '../onnx-schema.ts'
import { anything, flag, only, optional, text, unused, whole } from '../options.ts'
import { plain, plainValue } from '../value.ts'
import { matrixPieces } from '../weight-layout.ts'
import { activation } from './activation.ts'
import { readBias } from './convolution.ts'

/** The matrix stays in Keras' order (in, out): ONNX Runtime reads it in place, for one image and for many. */
const dense = kind(
  {
    units: whole(1),
    use_bias: flag(true),
    activation,
    lora_rank: only(null, 'LoRA must be merged into the weights before the model is saved'),
    lora_alpha: unused,
    input_dim: unused,
  },
  ({ units, use_bias, activation }, [x], layer) => {
    const rows = x.shape.at(-1)
    if (rows === undefined || !x.batched) throw layerError(layer, 'its input has no channels')
    const shape = [...x.shape.slice(0, -1), units]
    return {
      shape,
      arrays: [
        { role: 'kernel', shape: [rows, units] },
        ...(use_bias ? [{ role: 'bias', shape: [units] }] : []),
      ],
      ...(activation.isLinear && { foldable: shape.length - 1 }),
      async emit({ graph, inputs: [input], read, affine }) {
        // A flattened image stays in its order of planes. The rows of the matrix are reordered once, instead of every image.
        const image = input.tensors.plain === undefined ? input.flattened : undefined
        const tensor = image ? (input.tensors.planes ?? '') : plain(graph, input)
        const kernel = await readRequired(read, 'kernel')
        const matrix = await graph.weights([rows, units], matrixPieces(kernel, units, image, affine?.factors))
        const bias = await readBias({ read, ...(affine && { affine }) })
        const biasInput = bias ? [await graph.weights([units], [bias])] : []
        const product =
          x.shape.length === 1
            ? graph.node('Gemm', [tensor, matrix, ...biasInput])
            : [graph.node('MatMul', [tensor, matrix]), ...biasInput].reduce((sum, added) =>
                graph.node('Add', [sum, added]),
              )
        return activation.apply(graph, plainValue(shape, product))
      },
    }
  },
)

const einsumDense = kind(
  {
    equation: text(),
    output_shape: anything,
    activation,
    bias_axes: optional(text()),
    lora_rank: only(null, 'LoRA must be merged into the weights before the model is saved'),
    lora_alpha: unused,
  },
  ({ equation, output_shape, activation, bias_axes: biasAxes }, [x], layer) => {
    const [, inputs = '', kernels = '', outputs = ''] = EQUATION.exec(equation.replaceAll(' ', '')) ?? []
    if (inputs === '' || kernels === '' || outputs === '')
      throw layerError(layer, `its equation is ${quote(equation)}, not one of two tensors`)
    const first = inputs.replace('...', '')
    const hidden = inputs.includes('...') ? x.shape.length + 1 - first.length : 0
    if (hidden < 0 || (!inputs.includes('...') && first.length !== x.shape.length + 1))
      throw layerError(layer, `its equation ${quote(equation)} does not fit its input`)
    const whole = [0, ...x.shape]
    const sizes = new Map<string, number>()
    // The axes behind the dots are counted from the end, or from the beginning.
    const startsWithDots = inputs.startsWith('...')
    for (const [i, letter] of [...first].entries())
      sizes.set(letter, whole[startsWithDots ? i + hidden : i] ?? 1)
    const wanted = Array.isArray(output_shape) ? (output_shape as unknown[]) : [output_shape]
    const last = outputs.replace('...', '')
    const batchLetter = startsWithDots ? '' : (first[0] ?? '')
    const own = last.startsWith(batchLetter) ? last.slice(batchLetter.length) : ''
    if (own === '' || outputs.startsWith('...') !== startsWithDots)
      throw notSupported(layer, `its equation ${quote(equation)} moves the batch`)
    // output_shape has the axes of the output without the batch; axes behind dots are not always listed.
    for (const [i, letter] of [...own].reverse().entries()) {
      const size = wanted.at(-1 - i)
      if (sizes.has(letter)) continue
      if (typeof size !== 'number') throw layerError(layer, `the size of axis ${letter} is missing`)
      sizes.set(letter, size)
    }
    const sizeOf = (letter: string): number => {
      const size = sizes.get(letter)
      if (size !== undefined && Number.isSafeInteger(size) && size > 0) return size
      throw layerError(layer, `the size of axis ${letter} of its equation ${quote(equation)} is not known`)
    }
    const hiddenShape = startsWithDots ? x.shape.slice(0, Math.max(hidden - 1, 0)) : []
    const shape = [...hiddenShape, ...[...own].map(sizeOf)]
    const kernelShape = [...kernels].map(sizeOf)
    // The bias has the listed axes, and 1 for each axis after the first of these.
    const biasShape =
      biasAxes === undefined
        ? undefined
        : [...own.slice([...own].findIndex((letter) => biasAxes.includes(letter)))].map((letter) =>
            biasAxes.includes(letter) ? sizeOf(letter) : 1,
          )
    return {
      shape,
      arrays: [
        { role: 'kernel', shape: kernelShape },
        ...(biasShape ? [{ role: 'bias', shape: biasShape }] : []),
      ],
      async emit({ graph, inputs: [input], read }) {
        const kernel = await graph.weights(kernelShape, [await readRequired(read, 'kernel')])
        const product = graph.node('Einsum', [plain(graph, input), kernel], {
          equation: withoutDots(`${inputs},${kernels}->${outputs}`, hidden),
        })
        const bias = biasShape && (await readRequired(read, 'bias'))
        const sum = bias ? graph.node('Add', [product, await graph.weights(biasShape, [bias])]) : product
        return activation.apply(graph, plainValue(shape, sum))
      },
    }
  },
)

/** An equation with a letter for each axis behind the dots, since WebGPU does not know dots. */
function withoutDots(equation: string, axes: number): string {
  const free = [...LETTERS].filter((letter) => !equation.includes(letter))
  return equation.replaceAll('...', free.slice(0, axes).join(''))
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

const EQUATION = /^((?:\.\.\.)?[a-zA-Z]+(?:\.\.\.)?),([a-zA-Z]+)->((?:\.\.\.)?[a-zA-Z]+(?:\.\.\.)?)$/

const embedding = kind(
  {
    input_dim: whole(1),
    output_dim: whole(1),
    mask_zero: only(false, 'masks are not supported'),
    weights: unused,
    input_length: unused,
    lora_rank: only(null, 'LoRA must be merged into the weights before the model is saved'),
    lora_alpha: unused,
  },
  ({ input_dim, output_dim }, [x]) => ({
    shape: [...x.shape, output_dim],
    ...batchless(x),
    arrays: [{ role: 'embeddings', shape: [input_dim, output_dim] }],
    async emit({ graph, inputs: [input], read }) {
      const table = await graph.weights([input_dim, output_dim], [await readRequired(read, 'embeddings')])
      const indices = graph.node('Cast', [plain(graph, input)], { to: INT64 })
      const tensor = graph.node('Gather', [table, indices], { axis: 0 })
      return plainValue([...x.shape, output_dim], tensor, batchless(x))
    },
  }),
)

const attention = kind(
  {
    num_heads: whole(1),
    key_dim: whole(1),
    value_dim: optional(whole(1)),
    dropout: unused,
    use_bias: flag(true),
    output_shape: anything,
    attention_axes: anything,
    flash_attention: unused,
    // Keras 2 writes the shapes of the inputs.
    query_shape: unused,
    key_shape: unused,
    value_shape: unused,
    use_gate: only(false, 'gated attention is not supported'),
    sliding_window: only(null, 'attention within a window is not supported'),
  },
  (
    { num_heads: heads, key_dim: size, value_dim, use_bias, output_shape, attention_axes },
    [query, value = query, key = value],
    layer,
  ) => {
    const axes: unknown = Array.isArray(attention_axes) ? attention_axes[0] : attention_axes
    if ((axes !== 1 && axes != null) || [query, value, key].some((x) => x.shape.length !== 2 || !x.batched))
      throw notSupported(layer, 'attention is supported along the one axis of [tokens, channels]')
    const [tokens = 1, channels = 1] = query.shape
    const wanted: unknown =
      Array.isArray(output_shape) && output_shape.length === 1 ? output_shape[0] : output_shape
    const outputs = wanted ?? channels
    if (typeof outputs !== 'number' || !Number.isSafeInteger(outputs) || outputs < 1)
      throw notSupported(layer, `output_shape is ${quote(output_shape)}; one number is supported`)
    const valueSize = value_dim ?? size
    const projection = (part: string, rows: number, each: number) => [
      { role: `${part}/kernel`, part: `${part}_dense`, shape: [rows, heads, each] },
      ...(use_bias ? [{ role: `${part}/bias`, part: `${part}_dense`, shape: [heads, each] }] : []),
    ]
    return {
      shape: [tokens, outputs],
      arrays: [
        ...projection('query', channels, size),
        ...projection('key', key.shape[1] ?? 1, size),
        ...projection('value', value.shape[1] ?? 1, valueSize),
        { role: 'attention_output/kernel', part: 'output_dense', shape: [heads, valueSize, outputs] },
        ...(use_bias ? [{ role: 'attention_output/bias', part: 'output_dense', shape: [outputs] }] : []),
      ],
      async emit({ graph, inputs: [q, v = q, k = v], read }) {
        const project = async (input: string, part: string, columns: number, factor = 1) => {
          const scaled = (array: Float32Array) =>
            factor === 1 ? array : array.map((number) => number * factor)
          const kernel = await readRequired(read, `${part}/kernel`)
          const rows = kernel.length / columns
          const product = graph.node('MatMul', [
            input,
            await graph.weights([rows, columns], [scaled(kernel)]),
          ])
          const bias = use_bias ? await readRequired(read, `${part}/bias`) : undefined
          return bias ? graph.node('Add', [product, await graph.weights([columns], [scaled(bias)])]) : product
        }
        // [n, tokens, heads · each] → [n, heads, tokens, each]; keys are transposed for the product with queries.
        const split = (tensor: string, each: number, perm: readonly number[]) =>
          graph.node('Transpose', [graph.node('Reshape', [tensor, graph.integers([0, 0, heads, each])])], {
            perm,
          })
        const queries = await project(plain(graph, q), 'query', heads * size, 1 / Math.sqrt(size))
        const keys = await project(plain(graph, k), 'key', heads * size)
        const values = await project(plain(graph, v), 'value', heads * valueSize)
        const scores = graph.node('MatMul', [
          split(queries, size, [0, 2, 1, 3]),
          split(keys, size, [0, 2, 3, 1]),
        ])
        const mixed = graph.node('MatMul', [
          graph.node('Softmax', [scores], { axis: -1 }),
          split(values, valueSize, [0, 2, 1, 3]),
        ])
        const joined = graph.node('Reshape', [
          graph.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }),
          graph.integers([0, 0, elements([heads, valueSize])]),
        ])
        return plainValue([tokens, outputs], await project(joined, 'attention_output', outputs))
      },
    }
  },
  { inputs: [1, 3] },
)

export const DENSE_LAYERS: readonly (readonly [string, Kind])[] = [
  ['Dense', dense],
  ['EinsumDense', einsumDense],
  ['Embedding', embedding],
  ['MultiHeadAttention', attention],
]

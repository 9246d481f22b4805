import type { Layer } from '../../models/networks/layer-list.ts'
import type { Kind, Operand, Plan } from '../kind.ts'
import { kind, readRequired } from '../kind.ts'
import { layerError, shapeText } from '../layer-config.ts'
import { flag, optional, pair, whole, word } from '../options.ts'
import { planes, planesValue } from '../value.ts'
import { type Activation, activation } from './activation.ts'
import { image } from './convolution.ts'
import { dataFormat, inFormat } from './data-format.ts'

/** A convolution backwards: every pixel is spread over a window of the output. */
const conv2dTranspose = kind(
  {
    data_format: dataFormat,
    use_bias: flag(true),
    activation,
    kernel_size: pair(1),
    strides: pair(1, 1),
    dilation_rate: pair(1, 1),
    padding: word('valid', 'same'),
    output_padding: optional(pair(0)),
    filters: whole(1),
    groups: whole(1, 1),
  },
  (o, [x], layer) => {
    if (o.groups !== 1) throw layerError(layer, `groups must be 1, and is ${o.groups}`)
    return inFormat(o.data_format, x, (input) => planTransposed(o, input, layer))
  },
)

export const TRANSPOSE_CONVOLUTIONS: readonly (readonly [string, Kind])[] = [
  ['Conv2DTranspose', conv2dTranspose],
]

interface TransposedOptions {
  readonly kernel_size: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly dilation_rate: readonly [number, number]
  readonly padding: 'valid' | 'same'
  readonly output_padding: readonly [number, number] | undefined
  readonly filters: number
  readonly use_bias: boolean
  readonly activation: Activation
}

function planTransposed(o: TransposedOptions, x: Operand, layer: Layer): Plan {
  const [height, width, channels] = image(layer, x)
  const { filters, kernel_size: size } = o
  const vertical = spread(o, 0, height)
  const horizontal = spread(o, 1, width)
  const shape = [vertical.length, horizontal.length, filters]
  if (shape.some((length) => length < 1))
    throw layerError(layer, `its output would have the shape ${shapeText(shape)}`)
  const kernelShape = [...size, filters, channels]
  return {
    shape,
    arrays: [
      { role: 'kernel', shape: kernelShape },
      ...(o.use_bias ? [{ role: 'bias', shape: [filters] }] : []),
    ],
    async emit({ graph, inputs: [value], read }) {
      const kernel = await readRequired(read, 'kernel')
      const weights = await graph.weights(
        [channels, filters, ...size],
        [channelsFirst(kernel, size[0] * size[1], filters, channels)],
      )
      const bias = await read('bias')
      const biasInput = bias ? [await graph.weights([filters], [bias])] : []
      const cut = (after: { readonly after: number }) => Math.max(after.after, 0)
      const tensor = graph.node('ConvTranspose', [planes(graph, value), weights], {
        kernel_shape: size,
        strides: o.strides,
        dilations: o.dilation_rate,
        pads: [vertical.before, horizontal.before, cut(vertical), cut(horizontal)],
      })
      const [below, right] = [Math.max(-vertical.after, 0), Math.max(-horizontal.after, 0)]
      // Zeros come where no window reaches. The bias is added to them too, so it is added afterwards.
      const whole =
        below + right === 0
          ? tensor
          : graph.node('Pad', [
              tensor,
              graph.integers([0, 0, 0, 0, 0, 0, below, right]),
              graph.floats([0], []),
            ])
      const [biasTensor] = biasInput
      const shifted = biasTensor
        ? graph.node('Add', [whole, graph.node('Reshape', [biasTensor, graph.integers([filters, 1, 1])])])
        : whole
      return o.activation.apply(graph, planesValue(shape, shifted))
    },
  }
}

/** The length of the output along an axis, and how much is cut off before and after; below zero, zeros are added. */
function spread(o: TransposedOptions, axis: 0 | 1, input: number) {
  const stride = o.strides[axis]
  const reach = (o.kernel_size[axis] - 1) * o.dilation_rate[axis] + 1
  const full = (input - 1) * stride + reach
  const added = o.output_padding?.[axis]
  const length = lengthOf()
  if (o.padding === 'valid') return { length, before: 0, after: full - length }
  const before = Math.floor(Math.max(full - length, 0) / 2)
  return { length, before, after: full - before - length }

  function lengthOf(): number {
    if (o.padding === 'valid')
      return added === undefined ? input * stride + Math.max(reach - stride, 0) : full + added
    return added === undefined ? input * stride : full - 2 * Math.floor(reach / 2) + added
  }
}

/** (height × width, out, in) → (in, out, height × width). */
function channelsFirst(kernel: Float32Array, area: number, outputs: number, inputs: number): Float32Array {
  const result = new Float32Array(kernel.length)
  let at = 0
  for (let input = 0; input < inputs; input++) {
    for (let output = 0; output < outputs; output++) {
      for (let place = 0; place < area; place++)
        result[at++] = kernel[(place * outputs + output) * inputs + input] ?? 0
    }
  }
  return result
}

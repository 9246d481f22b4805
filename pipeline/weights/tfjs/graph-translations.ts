import { operationClass } from '../../models/networks/layer-list.ts'
import { quote, unsupported } from '../source/model-file-error.ts'
import type { SourceArray } from '../source/source-array.ts'
import { flagOf, type GraphNode, numberOf, numbersOf, textOf, textsOf, typeOf } from './graph-node.ts'
import type { Translating } from './translating.ts'

/** Adds the layers for one node, and returns the name of the layer that has the node's output. */
type Translation = (translating: Translating) => string | Promise<string>

const activated =
  (activation: string): Translation =>
  (it) =>
    it.add('Activation', { activation }, [it.layer(0)])

const passed = (it: Translating): string => (it.constant(0) ? '' : it.layer(0))

/** The names of fused activations in Keras. */
const ACTIVATIONS: ReadonlyMap<string, string> = new Map([
  ['Elu', 'elu'],
  ['Relu', 'relu'],
  ['Relu6', 'relu6'],
  ['Selu', 'selu'],
  ['Sigmoid', 'sigmoid'],
  ['Softplus', 'softplus'],
  ['Softsign', 'softsign'],
  ['Tanh', 'tanh'],
])

/** The operations of TensorFlow graphs that image classifiers use. */
export const TRANSLATIONS: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ...[...ACTIVATIONS].map(([op, name]) => [op, activated(name)] as const),
  ['Add', sum],
  [
    'AddN',
    (it) =>
      it.add(
        'Add',
        {},
        it.node.inputs.map((_, i) => it.layer(i)),
      ),
  ],
  ['AddV2', sum],
  ['AvgPool', (it) => pooled(it, 'AveragePooling2D')],
  ['BiasAdd', shifted],
  ['Cast', cast],
  ['ConcatV2', concatenated],
  ['Conv2D', (it) => convolved(it, 'Conv2D')],
  ['DepthwiseConv2dNative', (it) => convolved(it, 'DepthwiseConv2D')],
  ['FusedBatchNorm', normalized],
  ['FusedBatchNormV2', normalized],
  ['FusedBatchNormV3', normalized],
  ['FusedDepthwiseConv2dNative', (it) => convolved(it, 'DepthwiseConv2D')],
  ['Identity', passed],
  [
    'LeakyRelu',
    (it) => it.add('LeakyReLU', { negative_slope: numberOf(it.node, 'alpha', 0.2) }, [it.layer(0)]),
  ],
  ['LogSoftmax', activated('log_softmax')],
  ['MatMul', multiplied],
  ['Max', (it) => averaged(it, 'GlobalMaxPooling2D')],
  ['MaxPool', (it) => pooled(it, 'MaxPooling2D')],
  ['Mean', (it) => averaged(it, 'GlobalAveragePooling2D')],
  ['Mul', product],
  ['Pad', padded],
  ['PadV2', padded],
  // Pack, Shape and StridedSlice compute the batch of a reshape, which a layer does by itself.
  ['Pack', () => ''],
  ['PreventGradient', passed],
  ['RealDiv', quotient],
  ['Reshape', reshaped],
  ['Shape', () => ''],
  ['Snapshot', passed],
  ['Softmax', activated('softmax')],
  ['Squeeze', squeezed],
  ['StopGradient', passed],
  ['StridedSlice', () => ''],
  ['Sub', difference],
  ['Transpose', transposed],
  ['_FusedConv2D', (it) => convolved(it, 'Conv2D')],
  ['_FusedMatMul', multiplied],
])

interface Fused {
  readonly bias: SourceArray | undefined
  readonly activation: string
}

/** What a fused operator does after its own work: a bias, an activation, or both. */
function fused(it: Translating): Fused {
  const ops = textsOf(it.node, 'fused_ops')
  const [first, ...others] = ops
  const activations = first === 'BiasAdd' ? others : ops
  const [activation] = activations
  const name = activation === undefined ? 'linear' : ACTIVATIONS.get(activation)
  if (name === undefined || activations.length > 1) throw refused(it.node, `fuses ${ops.join(' and ')}`)
  return { bias: first === 'BiasAdd' ? needed(it, 2, 'bias') : undefined, activation: name }
}

function convolved(it: Translating, className: 'Conv2D' | 'DepthwiseConv2D'): string {
  const { node } = it
  const isDepthwise = className === 'DepthwiseConv2D'
  const kernel = needed(it, 1, isDepthwise ? 'depthwise_kernel' : 'kernel')
  const { bias, activation } = fused(it)
  const [height, width, , last] = kernel.shape
  const own = isDepthwise ? { depth_multiplier: last } : { filters: last }
  const window = {
    kernel_size: [height, width],
    strides: sides(node, 'strides'),
    dilation_rate: sides(node, 'dilations'),
  }
  const { padding, input } = surrounded(it)
  const config = { ...own, ...window, padding, activation, use_bias: bias !== undefined }
  return it.add(className, config, [input], bias ? [kernel, bias] : [kernel])
}

/** Explicit padding is a layer of its own. */
function surrounded(it: Translating): { padding: 'same' | 'valid'; input: string } {
  const padding = textOf(it.node, 'padding')
  if (padding === 'SAME' || padding === 'VALID')
    return { padding: padding === 'SAME' ? 'same' : 'valid', input: it.layer(0) }
  const [, , top = 0, bottom = 0, left = 0, right = 0] = numbersOf(it.node, 'explicit_paddings')
  const around = {
    padding: [
      [top, bottom],
      [left, right],
    ],
  }
  if (padding !== 'EXPLICIT') throw refused(it.node, `has the padding ${quote(padding)}`)
  return { padding: 'valid', input: it.add('ZeroPadding2D', around, [it.layer(0)]) }
}

function multiplied(it: Translating): string {
  const { node } = it
  if (flagOf(node, 'transpose_a')) throw refused(node, 'transposes its first input')
  const given = needed(it, 1, 'kernel')
  const kernel = flagOf(node, 'transpose_b') ? flipped(given) : given
  const { bias, activation } = fused(it)
  const config = { units: kernel.shape[1], activation, use_bias: bias !== undefined }
  return it.add('Dense', config, [it.layer(0)], bias ? [kernel, bias] : [kernel])
}

function shifted(it: Translating): Promise<string> {
  mustBeChannelsLast(it.node)
  return scaled(it, it.layer(0), undefined, needed(it, 1, 'bias'))
}

/** The numbers of types in files of TensorFlow: float, double, half and bfloat16. */
const FLOATS: ReadonlySet<unknown> = new Set([
  'DT_FLOAT',
  'DT_DOUBLE',
  'DT_HALF',
  'DT_BFLOAT16',
  1,
  2,
  19,
  14,
])

/** All numbers are floats here. A cast to whole numbers would cut their fractions off. */
function cast(it: Translating): string {
  const type = typeOf(it.node, 'DstT')
  if (type !== undefined && !FLOATS.has(type)) throw refused(it.node, `casts to the type ${quote(type)}`)
  return passed(it)
}

function normalized(it: Translating): string {
  mustBeChannelsLast(it.node)
  if (flagOf(it.node, 'is_training')) throw refused(it.node, 'is in training')
  const roles = ['gamma', 'beta', 'moving_mean', 'moving_variance']
  const arrays = roles.map((role, i) => needed(it, i + 1, role))
  return it.add(
    'BatchNormalization',
    { axis: -1, epsilon: numberOf(it.node, 'epsilon', 1e-4) },
    [it.layer(0)],
    arrays,
  )
}

function pooled(it: Translating, className: string): string {
  // Zeros around the image would win over negative numbers.
  if (textOf(it.node, 'padding') === 'EXPLICIT') throw refused(it.node, 'has explicit padding')
  const { padding, input } = surrounded(it)
  const config = { pool_size: sides(it.node, 'ksize'), strides: sides(it.node, 'strides'), padding }
  return it.add(className, config, [input])
}

/** Over height and width. */
async function averaged(it: Translating, className: string): Promise<string> {
  const axes = (await it.numbers(1)).map((axis) => (axis < 0 ? axis + 4 : axis)).sort()
  if (axes.join() !== '1,2')
    throw refused(it.node, `goes over the axes ${axes.join(', ')}, not over height and width`)
  return it.add(className, { keepdims: flagOf(it.node, 'keep_dims') }, [it.layer(0)])
}

async function padded(it: Translating): Promise<string> {
  const [before = 0, after = 0, top, bottom, left, right, first = 0, last = 0] = await it.numbers(1)
  const [value = 0] = it.node.inputs.length > 2 ? await it.numbers(2) : []
  if (before || after || first || last || value)
    throw refused(it.node, 'pads more than height and width with zeros')
  return it.add(
    'ZeroPadding2D',
    {
      padding: [
        [top, bottom],
        [left, right],
      ],
    },
    [it.layer(0)],
  )
}

async function concatenated(it: Translating): Promise<string> {
  const last = it.node.inputs.length - 1
  const [axis] = await it.numbers(last)
  return it.add(
    'Concatenate',
    { axis },
    it.node.inputs.slice(0, last).map((_, i) => it.layer(i)),
  )
}

async function reshaped(it: Translating): Promise<string> {
  return it.add('Reshape', { target_shape: (await it.numbers(1)).slice(1) }, [it.layer(0)])
}

function squeezed(it: Translating): string {
  const axes = numbersOf(it.node, 'squeeze_dims')
  // Height and width of 1: a layer that every engine has.
  if (axes.join() === '1,2') return it.add('Flatten', {}, [it.layer(0)])
  return it.add(operationClass('Squeeze'), axes.length > 0 ? { axis: axes } : {}, [it.layer(0)])
}

async function transposed(it: Translating): Promise<string> {
  const [batch, ...dims] = await it.numbers(1)
  if (batch !== 0) throw refused(it.node, 'moves the batch')
  return it.add('Permute', { dims }, [it.layer(0)])
}

function sum(it: Translating): string | Promise<string> {
  const [a, b] = [it.constant(0), it.constant(1)]
  if (a || b) return scaled(it, it.layer(a ? 1 : 0), undefined, a ?? b)
  return it.add('Add', {}, [it.layer(0), it.layer(1)])
}

function product(it: Translating): string | Promise<string> {
  const [a, b] = [it.constant(0), it.constant(1)]
  if (a || b) return scaled(it, it.layer(a ? 1 : 0), a ?? b, undefined)
  return it.add('Multiply', {}, [it.layer(0), it.layer(1)])
}

function difference(it: Translating): string | Promise<string> {
  const [a, b] = [it.constant(0), it.constant(1)]
  if (a)
    return scaled(
      it,
      it.layer(1),
      constantOf(a, () => -1),
      a,
    )
  if (b)
    return scaled(
      it,
      it.layer(0),
      undefined,
      constantOf(b, (value) => -value),
    )
  return it.add('Subtract', {}, [it.layer(0), it.layer(1)])
}

function quotient(it: Translating): string | Promise<string> {
  const divisor = it.constant(1)
  if (divisor)
    return scaled(
      it,
      it.layer(0),
      constantOf(divisor, (value) => 1 / value),
      undefined,
    )
  throw refused(it.node, 'divides by a computation')
}

/** With this variance and epsilon, a batch normalization divides by 1. */
const EPSILON = 1e-3
const VARIANCE = 1 - EPSILON

/** factor · x + shift: for one number a rescaling, for one number per channel a batch normalization. */
async function scaled(
  it: Translating,
  input: string,
  factor: SourceArray | undefined,
  shift: SourceArray | undefined,
): Promise<string> {
  const length = sizeOf(factor ?? shift)
  const [scale = 1] = factor && length === 1 ? await factor.read() : []
  const [offset = 0] = shift && length === 1 ? await shift.read() : []
  if (length === 1) return it.add('Rescaling', { scale, offset }, [input])
  const perChannel = [factor, shift].every(
    (array) => array === undefined || array.shape.at(-1) === sizeOf(array),
  )
  if (!perChannel)
    throw refused(it.node, 'has a constant that is neither one number nor one for each channel')
  const arrays = [
    ...(factor ? [flat(factor, 'gamma')] : []),
    ...(shift ? [flat(shift, 'beta')] : []),
    filled('moving_mean', length, 0),
    filled('moving_variance', length, VARIANCE),
  ]
  const config = { axis: -1, epsilon: EPSILON, scale: factor !== undefined, center: shift !== undefined }
  return it.add('BatchNormalization', config, [input], arrays)
}

function needed(it: Translating, index: number, role: string): SourceArray {
  const array = renamed(it.constant(index), role)
  if (array) return array
  throw refused(it.node, `takes its ${role} from a computation`)
}

function renamed(array: SourceArray | undefined, role: string): SourceArray | undefined {
  return array && { ...array, name: `${array.name}/${role}` }
}

function flat(array: SourceArray, role: string): SourceArray {
  return { ...array, name: `${array.name}/${role}`, shape: [sizeOf(array)] }
}

function filled(role: string, length: number, value: number): SourceArray {
  return { name: role, shape: [length], read: () => new Float32Array(length).fill(value) }
}

function constantOf(array: SourceArray, change: (value: number) => number): SourceArray {
  return { ...array, read: async () => (await array.read()).map(change) }
}

/** A matrix with rows and columns exchanged. */
function flipped(array: SourceArray): SourceArray {
  const [rows = 0, columns = 0] = array.shape
  return {
    ...array,
    shape: [columns, rows],
    async read() {
      const values = await array.read()
      return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)] ?? 0)
    },
  }
}

function mustBeChannelsLast(node: GraphNode): void {
  const order = textOf(node, 'data_format') ?? 'NHWC'
  if (order !== 'NHWC') throw refused(node, `has the data format ${quote(order)}; only NHWC can be served`)
}

/** Height and width of a list such as [1, 2, 2, 1]; the channels come last. */
function sides(node: GraphNode, key: string): [number, number] {
  mustBeChannelsLast(node)
  const [, height = 1, width = 1] = numbersOf(node, key)
  return [height, width]
}

function sizeOf(array: SourceArray | undefined): number {
  return (array?.shape ?? []).reduce((all, size) => all * size, 1)
}

function refused({ name, op }: GraphNode, what: string) {
  return unsupported(`The node ${quote(name)} (${op}) ${what}, which cannot be served.`)
}

import { expect } from 'chai'
import { kindOf, LAYER_KINDS, OPERATION_KINDS } from '../../../pipeline/graph/kinds.ts'
import { planLayers } from '../../../pipeline/graph/plan-layers.ts'
import { type Layer, type LayerList, operationClass } from '../../../pipeline/models/networks/layer-list.ts'
import { bytesOf, withCompiled, withEngine } from '../../support/compiled.ts'
import { anyWeights } from '../../support/small-network.ts'
import { tinyInput } from '../../support/synthetic.ts'

/** What becomes of an answer when an option has another value. */
type Change =
  /** The answer changes. */
  | { readonly to: unknown }
  /** The option is for training, and nothing changes. */
  | { readonly unused: unknown }
  /** The value is refused. */
  | { readonly refused: unknown }

interface Case {
  readonly input: readonly number[]
  /** How many inputs the layer has; all are the same. */
  readonly inputs?: number
  readonly config?: Readonly<Record<string, unknown>>
  readonly vary: Readonly<Record<string, Change>>
}

const to = (value: unknown): Change => ({ to: value })
const unused = (value: unknown): Change => ({ unused: value })
const refused = (value: unknown): Change => ({ refused: value })

const IMAGE = [6, 5, 4]
const ROW = [7, 4]
const FIRST = to('channels_first')

const window = {
  kernel_size: to([2, 3]),
  strides: to(2),
  dilation_rate: to(2),
  padding: to('same'),
  use_bias: to(false),
  activation: to('tanh'),
  data_format: FIRST,
}
const conv2d = { kernel_size: 3 }
const conv1d = { ...window, kernel_size: to(2) }
const oneGroup = { groups: refused(2) }
const pool = { pool_size: to(3), strides: to(1), padding: to('same'), data_format: FIRST }
const lora = { lora_rank: refused(4), lora_alpha: unused(3) }
const random = {
  data_format: unused('channels_first'),
  value_range: unused([0, 1]),
  auto_vectorize: unused(true),
  bounding_box_format: unused('xyxy'),
  force_generator: unused(true),
}
const size = { height: to(3), width: to(3), data_format: FIRST }

const image = (vary: Case['vary'], config: Case['config'] = {}, inputs = 1): Case => ({
  input: IMAGE,
  config,
  vary,
  inputs,
})

const LAYERS: Readonly<Record<string, Case>> = {
  Activation: image({ activation: to('tanh') }),
  ELU: image({ alpha: to(0.3) }),
  LeakyReLU: image({ negative_slope: to(0.1), alpha: to(0.2) }),
  PReLU: image({ shared_axes: to([1, 2]) }),
  ReLU: image({ max_value: to(0.2), negative_slope: to(0.3), threshold: to(0.4) }),
  Softmax: image({ axis: to(1) }),
  ThresholdedReLU: image({ theta: to(0.1) }),
  Conv1D: {
    input: ROW,
    config: { kernel_size: 3, filters: 4 },
    vary: { ...conv1d, filters: to(2), groups: to(2) },
  },
  Conv2D: image({ ...window, filters: to(2), groups: to(2) }, { ...conv2d, filters: 4 }),
  DepthwiseConv1D: {
    input: ROW,
    config: { kernel_size: 3 },
    vary: { ...conv1d, ...oneGroup, depth_multiplier: to(2) },
  },
  DepthwiseConv2D: image({ ...window, ...oneGroup, depth_multiplier: to(2) }, conv2d),
  SeparableConv1D: {
    input: ROW,
    config: { kernel_size: 3, filters: 4 },
    vary: { ...conv1d, ...oneGroup, filters: to(2), depth_multiplier: to(2) },
  },
  SeparableConv2D: image(
    { ...window, ...oneGroup, filters: to(2), depth_multiplier: to(2) },
    { ...conv2d, filters: 4 },
  ),
  Conv2DTranspose: image(
    { ...window, filters: to(2), output_padding: to(1), groups: refused(2) },
    { kernel_size: 5, filters: 4, strides: 3 },
  ),
  Dense: image(
    { units: to(2), use_bias: to(false), activation: to('relu'), input_dim: unused(9), ...lora },
    { units: 4 },
  ),
  EinsumDense: image(
    {
      equation: to('abcd,de->abec'),
      output_shape: to([6, 5, 2]),
      activation: to('relu'),
      bias_axes: to('e'),
      ...lora,
    },
    { equation: '...d,de->...e', output_shape: [6, 5, 3] },
  ),
  Embedding: {
    input: [3],
    config: { input_dim: 5, output_dim: 2 },
    vary: {
      // The number of rows, of which the answer takes some.
      input_dim: unused(6),
      output_dim: to(3),
      mask_zero: refused(true),
      weights: unused([1]),
      input_length: unused(3),
      ...lora,
    },
  },
  MultiHeadAttention: {
    input: ROW,
    inputs: 2,
    config: { num_heads: 2, key_dim: 3 },
    vary: {
      num_heads: to(3),
      key_dim: to(2),
      value_dim: to(5),
      dropout: unused(0.5),
      use_bias: to(false),
      output_shape: to(6),
      attention_axes: refused([2]),
      flash_attention: unused(false),
      query_shape: unused([1]),
      key_shape: unused([1]),
      value_shape: unused([1]),
      use_gate: refused(true),
      sliding_window: refused(3),
    },
  },
  Add: image({}, {}, 2),
  Average: image({}, {}, 2),
  Concatenate: image({ axis: to(1) }, {}, 2),
  CustomScaleLayer: image({ scale: to(0.2) }, {}, 2),
  Dot: { input: [3, 3], inputs: 2, config: { axes: 1 }, vary: { axes: to([1, 2]), normalize: to(true) } },
  Maximum: image({}, {}, 2),
  Minimum: image({}, {}, 2),
  Multiply: image({}, {}, 2),
  Subtract: image({}, {}, 2),
  BatchNormalization: image({
    axis: to(1),
    epsilon: to(0.5),
    center: to(false),
    scale: to(false),
    fused: unused(true),
    virtual_batch_size: refused(4),
    adjustment: refused('f'),
    mode: refused(1),
  }),
  GroupNormalization: image(
    { groups: to(4), axis: to(1), epsilon: to(0.5), center: to(false), scale: to(false) },
    { groups: 2 },
  ),
  LayerNormalization: image({
    axis: to([1, 2]),
    epsilon: to(0.5),
    center: to(false),
    scale: to(false),
    rms_scaling: refused(true),
  }),
  LayerScale: image({ init_values: unused(0.5), projection_dim: unused(4) }),
  Normalization: {
    input: [4, 4, 4],
    config: { mean: [0.1, 0.2, 0.3, 0.4], variance: 2 },
    vary: {
      axis: to(1),
      mean: to(0.5),
      variance: to(3),
      invert: to(true),
      input_mean: unused(4),
      input_variance: unused(4),
    },
  },
  RMSNormalization: image({ axis: to([1, 2]), epsilon: to(0.5) }),
  Rescaling: image({ scale: to([1, 2, 3, 4]), offset: to(0.5) }),
  UnitNormalization: image({ axis: to(1) }),
  AdaptiveAveragePooling2D: image({ output_size: to([2, 3]), data_format: FIRST }, { output_size: 2 }),
  AdaptiveMaxPooling2D: image({ output_size: to([2, 3]), data_format: FIRST }, { output_size: 2 }),
  AveragePooling1D: { input: ROW, vary: pool },
  AveragePooling2D: image(pool),
  GlobalAveragePooling1D: { input: ROW, vary: { data_format: FIRST, keepdims: to(true) } },
  GlobalAveragePooling2D: image({ data_format: FIRST, keepdims: to(true) }),
  GlobalMaxPooling1D: { input: ROW, vary: { data_format: FIRST, keepdims: to(true) } },
  GlobalMaxPooling2D: image({ data_format: FIRST, keepdims: to(true) }),
  MaxPooling1D: { input: ROW, vary: pool },
  MaxPooling2D: image(pool),
  CenterCrop: image(size, { height: 2, width: 2 }),
  RandomCrop: image({ ...size, factor: unused(1) }, { height: 2, width: 2 }),
  Resizing: image(
    {
      ...size,
      interpolation: to('nearest'),
      antialias: to(true),
      crop_to_aspect_ratio: to(true),
      pad_to_aspect_ratio: to(true),
      fill_mode: refused('reflect'),
      fill_value: unused(4),
    },
    { height: 2, width: 4 },
  ),
  UpSampling1D: { input: ROW, vary: { size: to(3) } },
  UpSampling2D: image({ size: to([1, 2]), interpolation: to('bilinear'), data_format: FIRST }),
  Cropping1D: { input: ROW, vary: { cropping: to([1, 2]), data_format: FIRST } },
  Cropping2D: image(
    {
      cropping: to([
        [0, 1],
        [1, 0],
      ]),
      data_format: FIRST,
    },
    { cropping: 1 },
  ),
  Flatten: image({ data_format: FIRST }),
  Permute: image({ dims: to([2, 3, 1]) }, { dims: [3, 1, 2] }),
  RepeatVector: { input: [4], config: { n: 2 }, vary: { n: to(3) } },
  Reshape: image({ target_shape: to([-1]), input_shape: unused([1]) }, { target_shape: [10, 12] }),
  ZeroPadding1D: { input: ROW, vary: { padding: to([0, 2]), data_format: FIRST } },
  ZeroPadding2D: image(
    {
      padding: to([
        [0, 1],
        [2, 0],
      ]),
      data_format: FIRST,
    },
    { padding: 1 },
  ),
  SpectralNormalization: image(
    { layer: to({ className: 'Dense', config: { units: 3 } }), power_iterations: unused(4) },
    { layer: { className: 'Dense', config: { units: 2 } } },
  ),
  TimeDistributed: image(
    { layer: to({ className: 'Flatten', config: {} }) },
    { layer: { className: 'Dense', config: { units: 2 } } },
  ),
}

const operation = (vary: Case['vary'], config: Case['config'] = {}, inputs = 1): Case =>
  image(vary, config, inputs)
const plain = operation({})
const pairwise = operation({}, {}, 2)
const reduction = operation({ axis: to([1, 2]), keepdims: to(true), initial: refused(1) }, { axis: -1 })
const place = operation({ axis: to(1), keepdims: to(true) }, { axis: -1 })
const lastOnly = refused('channels_first')

const OPERATIONS: Readonly<Record<string, Case>> = {
  ...each(
    'Abs Absolute Ceil Cos Erf Exp Expm1 Floor HardSigmoid HardSilu HardTanh Identity Log Log1p',
    plain,
  ),
  ...each(
    'LogSigmoid LogicalNot Mish Negative Reciprocal Relu Relu6 Rsqrt Selu Sigmoid Sign Silu Sin',
    plain,
  ),
  ...each('Softplus Softsign SparsePlus SparseSigmoid Sqrt Square Tanh TanhShrink', plain),
  ...each('Add Divide Equal FloorDivide Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr', pairwise),
  ...each('Maximum Minimum Mod Multiply NotEqual Power Subtract TrueDivide', pairwise),
  ...each('All Amax Amin Any Logsumexp Max Mean Min Prod Std Sum Var', reduction),
  ...each('Argmax Argmin', place),
  Cast: operation({ dtype: to('int32') }),
  Celu: operation({ alpha: to(0.3) }),
  Clip: operation({ x_min: to(-0.1), x_max: to(0.1) }, { x_min: -0.5, x_max: 0.5 }),
  Cumsum: operation({ axis: to(1), dtype: refused('int32') }, { axis: 2 }),
  Elu: operation({ alpha: to(0.3) }),
  Gelu: operation({ approximate: to(false) }),
  Glu: operation({ axis: to(1) }),
  HardShrink: operation({ threshold: to(0.2) }),
  LeakyRelu: operation({ negative_slope: to(0.4) }),
  LogSoftmax: operation({ axis: to(1) }),
  Norm: operation({ axis: to(1), keepdims: to(true), ord: to(1) }, { axis: -1 }),
  Normalize: operation({ axis: to(1), order: refused(1), epsilon: to(5) }),
  OnesLike: operation({ dtype: refused('int32') }),
  Round: operation({ decimals: refused(2) }),
  SoftShrink: operation({ threshold: to(0.2) }),
  Softmax: operation({ axis: to([1, 2]) }),
  Sparsemax: operation({ axis: to(1) }),
  Squareplus: operation({ b: to(1) }),
  Threshold: operation({ threshold: to(0.5), default_value: to(2) }, { threshold: 0, default_value: 1 }),
  Where: operation({}, {}, 3),
  ZerosLike: operation({ dtype: refused('int32') }),
  AveragePool: operation(
    { pool_size: to(3), strides: to(1), padding: to('same'), data_format: lastOnly },
    { pool_size: 2 },
  ),
  Concatenate: operation({ axis: to(1) }, {}, 2),
  Einsum: operation({ subscripts: to('nhwc,nhwc->nhw') }, { subscripts: 'nhwc,nhwc->nc' }, 2),
  ExpandDims: operation({ axis: to(2) }, { axis: 1 }),
  Flip: operation({ axis: to(1) }, { axis: 2 }),
  GetItem: operation({ key: to([{ start: null, stop: null, step: null }, 1]) }, { key: ['...', 0] }),
  Matmul: { input: [4, 4], inputs: 2, vary: {} },
  MaxPool: operation(
    { pool_size: to(3), strides: to(1), padding: to('same'), data_format: lastOnly },
    { pool_size: 2 },
  ),
  Moveaxis: operation({ source: to(2), destination: to(2) }, { source: 3, destination: 1 }),
  Pad: operation(
    {
      pad_width: to([
        [0, 0],
        [0, 1],
        [0, 0],
        [2, 0],
      ]),
      mode: to('reflect'),
      constant_values: to(2),
    },
    {
      pad_width: [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ],
    },
  ),
  RGBToGrayscale: { input: [4, 4, 3], vary: { data_format: lastOnly } },
  Repeat: operation({ repeats: to(3), axis: to(1) }, { repeats: 2, axis: 2 }),
  Reshape: operation({ newshape: to([-1, 120]) }, { newshape: [-1, 10, 12] }),
  Resize: operation(
    {
      size: to([3, 3]),
      interpolation: to('nearest'),
      antialias: to(true),
      crop_to_aspect_ratio: to(true),
      pad_to_aspect_ratio: to(true),
      fill_mode: refused('reflect'),
      fill_value: unused(3),
      data_format: lastOnly,
    },
    { size: [2, 4] },
  ),
  Roll: operation({ shift: to(2), axis: to(1) }, { shift: 1, axis: 2 }),
  Split: operation(
    { indices_or_sections: to([1, 2]), axis: to(1), part: to(1) },
    { indices_or_sections: 2, axis: -1 },
  ),
  Squeeze: { input: [1, 4, 1], config: { axis: 1 }, vary: { axis: to(3) } },
  Stack: operation({ axis: to(-1) }, { axis: 1 }, 2),
  Swapaxes: operation({ axis1: to(3), axis2: to(3) }, { axis1: 1, axis2: 2 }),
  Take: operation({ axis: to(1), indices: to(1) }, { axis: -1, indices: [2, 0] }),
  Tile: operation({ repeats: to([1, 1, 2, 1]) }, { repeats: [1, 2, 1, 1] }),
  Transpose: operation({ axes: to([0, 3, 1, 2]) }, { axes: [0, 2, 1, 3] }),
}

function each(names: string, one: Case): Record<string, Case> {
  return Object.fromEntries(names.split(' ').map((name) => [name, one]))
}

const CASES: ReadonlyMap<string, Case> = new Map([
  ...Object.entries(LAYERS),
  ...Object.entries(OPERATIONS).map(([name, one]) => [operationClass(name), one] as const),
])

const classes = [...LAYER_KINDS.keys(), ...[...OPERATION_KINDS.keys()].map(operationClass)]

/** The layers that act only in training have options that change nothing. */
const caseOf = (className: string): Case =>
  CASES.get(className) ?? {
    input: IMAGE,
    vary: {
      ...Object.fromEntries((kindOf(className)?.options ?? []).map((name) => [name, unused(0.5)])),
      ...random,
    },
  }

describe('the options of every class', () => {
  for (const className of classes) {
    it(`are in the table, and none is ignored: ${className}`, async () => {
      const one = caseOf(className)
      expect(Object.keys(one.vary).sort()).to.deep.equal([...(kindOf(className)?.options ?? [])].sort())
      const answers = await answersOf(className, one)
      for (const [option, change] of Object.entries(one.vary)) {
        if ('refused' in change) {
          expect(() => planned(className, one, { [option]: change.refused }), option).to.throw(/./)
          continue
        }
        const same = JSON.stringify(answers.get(option)) === JSON.stringify(answers.get(''))
        expect(same, `${option} changes nothing`).to.equal('unused' in change)
      }
    })

    it(`are refused where there is no such option: ${className}`, () => {
      expect(() => planned(className, caseOf(className), { no_such_option: 1 })).to.throw(
        /it has the option "no_such_option" \(1\), which Tandem does not know/,
      )
      expect(() => planned(className, caseOf(className), { no_such_option: null })).not.to.throw()
    })
  }
})

function planned(className: string, one: Case, change: Record<string, unknown>): void {
  planLayers(listOf(one, [layerOf(className, one, 'layer', change)], 'layer'))
}

const INPUT = 'input'

function layerOf(
  className: string,
  { config, inputs = 1 }: Case,
  name: string,
  change: Record<string, unknown>,
): Layer {
  return { name, className, config: { ...config, ...change }, inputs: Array<string>(inputs).fill(INPUT) }
}

function listOf({ input }: Case, layers: readonly Layer[], output: string): LayerList {
  return {
    inputShape: input,
    layers: [{ name: INPUT, className: 'InputLayer', config: {}, inputs: [] }, ...layers],
    output,
  }
}

/** The shape and numbers of the answer with each option changed; under '' with none. One model computes all of them. */
async function answersOf(className: string, one: Case): Promise<ReadonlyMap<string, unknown>> {
  const changes = Object.entries(one.vary).flatMap(([option, change]) => {
    if ('refused' in change) return []
    return [[option, { [option]: 'to' in change ? change.to : change.unused }] as const]
  })
  const variants = [['', {}] as const, ...changes]
  // Equal names of weights in all variants: a difference is then due to the option.
  const layers = variants.map(([option, change]) => layerOf(className, one, `layer ${option}`, change))
  const flat = layers.map(({ name }) => ({
    name: `flat ${name}`,
    className: 'Flatten',
    config: {},
    inputs: [name],
  }))
  const all = { name: 'all', className: 'Concatenate', config: {}, inputs: flat.map(({ name }) => name) }
  const list = listOf(one, [...layers, ...flat, all], 'all')
  const plans = planLayers(list)
  const weights = anyWeights(list, ({ index, role }) => index * 31 + role.length)
  const input = bytesOf(tinyInput(one.input.reduce((a, b) => a * b)))
  const numbers = await withCompiled(list, weights, {}, (path) =>
    withEngine(path, (engine) => engine.run(input, 1)),
  )
  let at = 0
  return new Map(
    variants.map(([option], i) => {
      const shape = plans.get(layers[i]?.name ?? '')?.shape ?? []
      const length = shape.reduce((a, b) => a * b, 1)
      at += length
      return [option, { shape, numbers: [...numbers.subarray(at - length, at)] }]
    }),
  )
}

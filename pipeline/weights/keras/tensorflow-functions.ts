import type { Argument } from './keras-inbound.ts'

/** A function of TensorFlow that Keras 2 keeps in a model, as an operation of Keras. */
export interface TensorFlowFunction {
  readonly op: string
  /** The function's parameters in order: their names here, or the one value that they may have. */
  readonly parameters: Readonly<Record<string, string | { readonly only: unknown }>>
  /** Options that the operation has otherwise than the function. */
  readonly defaults?: Readonly<Record<string, unknown>>
  change?(named: Map<string, Argument>): Map<string, Argument>
}

const one = (op: string, parameter = 'x'): TensorFlowFunction => ({ op, parameters: { [parameter]: 'x' } })

const two = (op: string): TensorFlowFunction => ({ op, parameters: { x: 'x1', y: 'x2' } })

const reduction = (op: string): TensorFlowFunction => ({
  op,
  parameters: { input_tensor: 'x', axis: 'axis', keepdims: 'keepdims' },
})

const place = (op: string): TensorFlowFunction => ({
  op,
  parameters: { input: 'x', axis: 'axis', output_type: { only: 'int64' } },
  defaults: { axis: 0 },
})

const pooling = (op: string): TensorFlowFunction => ({
  op,
  parameters: {
    input: 'x',
    ksize: 'pool_size',
    strides: 'strides',
    padding: 'padding',
    data_format: { only: 'NHWC' },
  },
  change: (named) => lowerCase(named, 'padding'),
})

const normalized: TensorFlowFunction = {
  op: 'Normalize',
  parameters: { x: 'x', axis: 'axis', epsilon: { only: 1e-12 } },
  // The root of TensorFlow's 1e-12, which stands below the sum of squares.
  defaults: { epsilon: 1e-6 },
}

function lowerCase(named: Map<string, Argument>, parameter: string): Map<string, Argument> {
  const argument = named.get(parameter)
  if (argument?.kind === 'value' && typeof argument.value === 'string')
    named.set(parameter, { kind: 'value', value: argument.value.toLowerCase() })
  return named
}

const each = (names: readonly string[], known: TensorFlowFunction) =>
  names.map((name) => [name, known] as const)

const softmax = (op: string): TensorFlowFunction => ({
  op,
  parameters: { logits: 'x', axis: 'axis' },
  defaults: { axis: -1 },
})

export const TENSORFLOW_FUNCTIONS: ReadonlyMap<string, TensorFlowFunction> = new Map<
  string,
  TensorFlowFunction
>([
  ...each(['__operators__.add', 'math.add', 'add'], two('Add')),
  ...each(['nn.bias_add'], {
    op: 'Add',
    parameters: { value: 'x1', bias: 'x2', data_format: { only: 'NHWC' } },
  }),
  ...each(['math.subtract', 'subtract', '__operators__.subtract'], two('Subtract')),
  ...each(['math.multiply', 'multiply', '__operators__.multiply'], two('Multiply')),
  ...each(['math.truediv', 'math.divide', 'divide', 'truediv', 'realdiv'], two('TrueDivide')),
  ...each(['math.floordiv', 'math.floor_div'], two('FloorDivide')),
  ...each(['math.floormod', 'math.mod'], two('Mod')),
  ...each(['math.maximum', 'maximum'], two('Maximum')),
  ...each(['math.minimum', 'minimum'], two('Minimum')),
  ...each(['math.pow', 'pow'], two('Power')),
  ...each(['math.greater', 'greater'], two('Greater')),
  ...each(['math.greater_equal', 'greater_equal'], two('GreaterEqual')),
  ...each(['math.less', 'less'], two('Less')),
  ...each(['math.less_equal', 'less_equal'], two('LessEqual')),
  ...each(['nn.relu'], one('Relu', 'features')),
  ...each(['nn.relu6'], one('Relu6', 'features')),
  ...each(['nn.elu'], { op: 'Elu', parameters: { features: 'x' } }),
  ...each(['nn.selu'], one('Selu', 'features')),
  ...each(['nn.softplus', 'math.softplus'], one('Softplus', 'features')),
  ...each(['nn.softsign'], one('Softsign', 'features')),
  ...each(['nn.silu', 'nn.swish'], { op: 'Silu', parameters: { features: 'x', beta: { only: 1 } } }),
  ...each(['nn.gelu'], {
    op: 'Gelu',
    parameters: { features: 'x', approximate: 'approximate' },
    defaults: { approximate: false },
  }),
  ...each(['nn.leaky_relu'], { op: 'LeakyRelu', parameters: { features: 'x', alpha: 'negative_slope' } }),
  ...each(['math.sigmoid', 'nn.sigmoid', 'sigmoid'], one('Sigmoid')),
  ...each(['math.tanh', 'nn.tanh', 'tanh'], one('Tanh')),
  ...each(['nn.softmax'], softmax('Softmax')),
  ...each(['nn.log_softmax', 'math.log_softmax'], softmax('LogSoftmax')),
  ...each(['math.abs', 'abs'], one('Absolute')),
  ...each(['math.ceil'], one('Ceil')),
  ...each(['math.cos'], one('Cos')),
  ...each(['math.erf'], one('Erf')),
  ...each(['math.exp', 'exp'], one('Exp')),
  ...each(['math.expm1'], one('Expm1')),
  ...each(['math.floor', 'floor'], one('Floor')),
  ...each(['math.log'], one('Log')),
  ...each(['math.log1p'], one('Log1p')),
  ...each(['math.negative', 'negative'], one('Negative')),
  ...each(['math.reciprocal'], one('Reciprocal')),
  ...each(['math.round', 'round'], one('Round')),
  ...each(['math.rsqrt'], one('Rsqrt')),
  ...each(['math.sign', 'sign'], one('Sign')),
  ...each(['math.sin'], one('Sin')),
  ...each(['math.sqrt', 'sqrt'], one('Sqrt')),
  ...each(['math.square', 'square'], one('Square')),
  ...each(['identity', 'stop_gradient'], one('Identity', 'input')),
  ...each(['zeros_like'], one('ZerosLike', 'input')),
  ...each(['ones_like'], one('OnesLike', 'input')),
  ...each(['where'], { op: 'Where', parameters: { condition: 'condition', x: 'x1', y: 'x2' } }),
  ...each(['math.reduce_mean', 'reduce_mean'], reduction('Mean')),
  ...each(['math.reduce_sum', 'reduce_sum'], reduction('Sum')),
  ...each(['math.reduce_max', 'reduce_max'], reduction('Max')),
  ...each(['math.reduce_min', 'reduce_min'], reduction('Min')),
  ...each(['math.reduce_prod', 'reduce_prod'], reduction('Prod')),
  ...each(['math.reduce_std'], reduction('Std')),
  ...each(['math.reduce_variance'], reduction('Var')),
  ...each(['math.reduce_logsumexp'], reduction('Logsumexp')),
  ...each(['math.argmax', 'argmax'], place('Argmax')),
  ...each(['math.argmin', 'argmin'], place('Argmin')),
  ...each(['math.l2_normalize', 'linalg.l2_normalize', 'nn.l2_normalize'], normalized),
  ...each(['cast'], { op: 'Cast', parameters: { x: 'x', dtype: 'dtype' } }),
  ...each(['reshape'], { op: 'Reshape', parameters: { tensor: 'x', shape: 'newshape' } }),
  ...each(['transpose', 'compat.v1.transpose'], {
    op: 'Transpose',
    parameters: { a: 'x', perm: 'axes', conjugate: { only: false } },
  }),
  ...each(['concat', 'concatenate'], { op: 'Concatenate', parameters: { values: 'list', axis: 'axis' } }),
  ...each(['stack'], { op: 'Stack', parameters: { values: 'list', axis: 'axis' } }),
  ...each(['expand_dims'], { op: 'ExpandDims', parameters: { input: 'x', axis: 'axis' } }),
  ...each(['squeeze', 'compat.v1.squeeze'], { op: 'Squeeze', parameters: { input: 'x', axis: 'axis' } }),
  ...each(['clip_by_value'], {
    op: 'Clip',
    parameters: { t: 'x', clip_value_min: 'x_min', clip_value_max: 'x_max' },
  }),
  ...each(['reverse'], { op: 'Flip', parameters: { tensor: 'x', axis: 'axis' } }),
  ...each(['tile'], { op: 'Tile', parameters: { input: 'x', multiples: 'repeats' } }),
  ...each(['pad', 'compat.v1.pad'], {
    op: 'Pad',
    parameters: { tensor: 'x', paddings: 'pad_width', mode: 'mode', constant_values: 'constant_values' },
    change: (named) => lowerCase(named, 'mode'),
  }),
  ...each(['split'], {
    op: 'Split',
    parameters: { value: 'x', num_or_size_splits: 'indices_or_sections', axis: 'axis' },
    change: splitAt,
  }),
  ...each(['linalg.matmul', 'matmul'], {
    op: 'Matmul',
    parameters: { a: 'x1', b: 'x2', transpose_a: { only: false }, transpose_b: { only: false } },
  }),
  ...each(['nn.avg_pool2d', 'nn.avg_pool'], pooling('AveragePool')),
  ...each(['nn.max_pool2d', 'nn.max_pool'], pooling('MaxPool')),
  ...each(['image.resize'], {
    op: 'Resize',
    parameters: {
      images: 'images',
      size: 'size',
      method: 'interpolation',
      preserve_aspect_ratio: { only: false },
      antialias: 'antialias',
    },
  }),
  ...each(['image.rgb_to_grayscale'], { op: 'RGBToGrayscale', parameters: { images: 'images' } }),
  ...each(['__operators__.getitem'], { op: 'GetItem', parameters: { tensor: 'x', slice_spec: 'key' } }),
])

/** TensorFlow gives the sizes of the parts, Keras the places between the parts. */
function splitAt(named: Map<string, Argument>): Map<string, Argument> {
  const sizes = named.get('indices_or_sections')
  if (sizes?.kind !== 'value' || !Array.isArray(sizes.value)) return named
  let at = 0
  const places = sizes.value.slice(0, -1).map((size: unknown) => {
    at += Number(size)
    return at
  })
  return named.set('indices_or_sections', { kind: 'value', value: places })
}

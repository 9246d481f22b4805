import { HARD_SIGMOID_OF_KERAS_2 } from '../../graph/activations.ts'
import { quote, unsupported } from '../source/model-file-error.ts'
import { field, isObject, type JsonObject } from '../source/parse-json.ts'

// Fields that only matter for training, or for how Keras builds and calls a layer.
const OF_NO_CONCERN =
  /^(name|trainable|sparse|ragged|optional|batch_shape|batch_input_shape|batch_size|seed|noise_shape|synchronized|momentum|renorm.*|.*_(initializer|regularizer|constraint))$/

/** Types of numbers in which Keras may compute. Here, all are computed in float32, which is at least as exact. */
const FLOATING = /^(mixed_)?(float16|bfloat16|float32|float64)$|^float$/

/** The fields of a layer in one form, whatever version of Keras wrote them. */
export function kerasFields(
  name: string,
  className: string,
  config: JsonObject,
  keras = 3,
): Record<string, unknown> {
  if (className !== 'InputLayer') mustBeFloating(name, className, config.dtype)
  const fields: [string, unknown][] = Object.entries(config)
    .filter(([key]) => key !== 'dtype' && !OF_NO_CONCERN.test(key))
    .map(([key, value]) => [key, plainNumber(value)])
  const known = Object.fromEntries(fields)
  if (className === 'LeakyReLU' && known.negative_slope === undefined) {
    known.negative_slope = known.alpha
    delete known.alpha
  }
  // Keras 2 writes the axis of a normalization as a list.
  if (Array.isArray(known.axis) && known.axis.length === 1) known.axis = known.axis[0]
  if (known.activation !== undefined) known.activation = activation(name, known.activation, keras)
  if (isObject(known.layer)) known.layer = inner(name, known.layer, keras)
  return known
}

function mustBeFloating(name: string, className: string, dtype: unknown): void {
  const policy = isObject(dtype) ? field(field(dtype, 'config'), 'name') : dtype
  const kind = field(dtype, 'class_name')
  const isQuantized = typeof kind === 'string' && kind.includes('Quantized')
  if (!isQuantized && (policy == null || (typeof policy === 'string' && FLOATING.test(policy)))) return
  throw unsupported(
    `Layer ${quote(name)} (${className}) computes with numbers of type ${quote(policy ?? kind)}: ` +
      `save the model before it is quantized, in float32 or in mixed precision.`,
  )
}

/** The name alone: Keras 3 may write a function as { class_name: 'function', config: 'relu' }. */
function activation(layer: string, written: unknown, keras: number): unknown {
  if (written === 'hard_sigmoid' && keras < 3) return HARD_SIGMOID_OF_KERAS_2
  if (!isObject(written)) return written
  const [className, config] = [field(written, 'class_name'), field(written, 'config')]
  if (className === 'function' && typeof config === 'string') return activation(layer, config, keras)
  if (typeof className === 'string' && isObject(config)) return inner(layer, written, keras)
  throw unsupported(
    `Layer ${quote(layer)} has an activation of class ${quote(className)}; functions known by name, and layers such as LeakyReLU, can be served.`,
  )
}

/** A layer inside a layer. */
function inner(outer: string, written: JsonObject, keras: number): unknown {
  const [className, config] = [field(written, 'class_name'), field(written, 'config')]
  if (typeof className !== 'string' || !isObject(config))
    throw unsupported(`Layer ${quote(outer)} has a layer inside that is not in a form that Keras writes.`)
  return { className: plainClass(className), config: kerasFields(outer, className, config, keras) }
}

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['BatchNormalizationV1', 'BatchNormalization'],
  ['BatchNormalizationV2', 'BatchNormalization'],
  ['SyncBatchNormalization', 'BatchNormalization'],
  ['Convolution1D', 'Conv1D'],
  ['Convolution2D', 'Conv2D'],
  ['Convolution2DTranspose', 'Conv2DTranspose'],
  ['Deconvolution2D', 'Conv2DTranspose'],
  ['SeparableConvolution2D', 'SeparableConv2D'],
  ['AvgPool2D', 'AveragePooling2D'],
  ['MaxPool2D', 'MaxPooling2D'],
  ['GlobalAvgPool2D', 'GlobalAveragePooling2D'],
  ['GlobalMaxPool2D', 'GlobalMaxPooling2D'],
])

/** The name of the class in Keras itself: a registered class has the name of its package before its own. */
export function plainClass(className: string): string {
  const own = className.replace(/^(Custom|keras\.layers|keras_applications)>/, '')
  return ALIASES.get(own) ?? own
}

/** The number alone: some versions write it as { type: 'ndarray', value: 6 }, Keras 3 as { config: { value: 6 } }. */
function plainNumber(value: unknown): unknown {
  const number = field(value, 'value') ?? field(field(value, 'config'), 'value')
  const isNumbers = typeof number === 'number' || (Array.isArray(number) && !isObject(number[0]))
  return isNumbers ? number : value
}

import { quote, unsupported } from '../source/model-file-error.ts'
import { field, isObject, type JsonObject } from '../source/parse-json.ts'

// Fields that only matter for training, or for how Keras builds and calls a layer.
const OF_NO_CONCERN =
  /^(name|trainable|dtype|sparse|ragged|optional|batch_shape|batch_input_shape|batch_size|seed|noise_shape|synchronized|momentum|renorm.*|quantization_config|.*_(initializer|regularizer|constraint))$/

/** The fields of a layer in one form, whatever version of Keras wrote them. */
export function kerasFields(name: string, className: string, config: JsonObject): Record<string, unknown> {
  const fields: [string, unknown][] = Object.entries(config)
    .filter(([key]) => !OF_NO_CONCERN.test(key))
    .map(([key, value]) => [key, plainNumber(value)])
  const known = Object.fromEntries(fields)
  const order = known.data_format
  if (typeof order === 'string' && order !== 'channels_last') {
    throw unsupported(
      `Layer ${quote(name)} (${className}) has data_format ${quote(order)}; only channels_last can be served.`,
    )
  }
  if (className === 'LeakyReLU' && known.negative_slope === undefined) {
    known.negative_slope = known.alpha
    delete known.alpha
  }
  // Keras 2 writes the axis of a normalization as a list.
  if (Array.isArray(known.axis) && known.axis.length === 1) known.axis = known.axis[0]
  if (known.activation !== undefined) known.activation = activationName(name, known.activation)
  return known
}

/** The name alone: Keras 3 may write a function as { class_name: 'function', config: 'relu' }. */
function activationName(layer: string, activation: unknown): unknown {
  if (!isObject(activation)) return activation
  const name = field(activation, 'config')
  if (field(activation, 'class_name') === 'function' && typeof name === 'string') return name
  throw unsupported(
    `Layer ${quote(layer)} has an activation of class ${quote(field(activation, 'class_name'))}; only functions known by name can be served.`,
  )
}

/** The number alone: some versions write it as { type: 'ndarray', value: 6 }. */
function plainNumber(value: unknown): unknown {
  const number = field(value, 'value')
  return typeof number === 'number' ? number : value
}

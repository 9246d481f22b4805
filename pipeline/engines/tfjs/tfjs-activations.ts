import type { Tensor } from '@tensorflow/tfjs-core'
import { decimal, notSupported, quote } from '../../graph/layer-config.ts'
import type { Layer } from '../../models/networks/layer-list.ts'
import type { TensorFlow } from './tfjs-backend.ts'

export type Activation = (x: Tensor) => Tensor

type Definition = (tf: TensorFlow, x: Tensor) => Tensor

/** Keras' activation functions by name. */
const ACTIVATIONS: ReadonlyMap<string, Definition> = new Map<string, Definition>([
  ['elu', (tf, x) => tf.elu(x)],
  ['exponential', (tf, x) => tf.exp(x)],
  ['gelu', (tf, x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))],
  ['hard_silu', hardSwish],
  ['hard_swish', hardSwish],
  ['leaky_relu', (tf, x) => tf.leakyRelu(x, 0.2)],
  ['linear', (tf, x) => tf.clone(x)],
  ['log_softmax', (tf, x) => tf.logSoftmax(x)],
  ['mish', (tf, x) => tf.mul(x, tf.tanh(tf.softplus(x)))],
  ['relu', (tf, x) => tf.relu(x)],
  ['relu6', (tf, x) => tf.relu6(x)],
  ['selu', (tf, x) => tf.selu(x)],
  ['sigmoid', (tf, x) => tf.sigmoid(x)],
  ['silu', swish],
  ['softmax', (tf, x) => tf.softmax(x)],
  ['softplus', (tf, x) => tf.softplus(x)],
  ['softsign', (tf, x) => tf.div(x, tf.add(tf.abs(x), 1))],
  ['swish', swish],
  ['tanh', (tf, x) => tf.tanh(x)],
])

/** The activation that a layer applies to its own result; `linear` where the layer has none. */
export function activationOf(tf: TensorFlow, layer: Layer): Activation {
  const name = layer.config.activation ?? 'linear'
  const activation = typeof name === 'string' ? ACTIVATIONS.get(name) : undefined
  if (!activation)
    throw notSupported(layer, `the engine tfjs does not have its activation ${quote(name)}; use ENGINE=onnx`)
  return (x) => activation(tf, x)
}

/** Keras' ReLU layer: sloped below the threshold, unchanged above the threshold, never above `max_value`. */
export function rectifier(tf: TensorFlow, layer: Layer): Activation {
  const slope = decimal(layer, 'negative_slope', 0)
  const threshold = decimal(layer, 'threshold', 0)
  const largest = layer.config.max_value == null ? undefined : decimal(layer, 'max_value')
  const bent: Activation = (x) => {
    if (threshold === 0) return slope === 0 ? tf.relu(x) : tf.leakyRelu(x, slope)
    return tf.where(tf.greaterEqual(x, threshold), x, tf.mul(tf.sub(x, threshold), slope))
  }
  return largest === undefined ? bent : (x) => tf.minimum(bent(x), largest)
}

export function leakyRectifier(tf: TensorFlow, layer: Layer): Activation {
  // Keras 3 renamed alpha to negative_slope.
  const slope = decimal(layer, layer.config.negative_slope == null ? 'alpha' : 'negative_slope', 0.3)
  return (x) => tf.leakyRelu(x, slope)
}

export function exponentialRectifier(tf: TensorFlow, layer: Layer): Activation {
  const alpha = decimal(layer, 'alpha', 1)
  return (x) => tf.where(tf.greater(x, 0), x, tf.mul(tf.elu(x), alpha))
}

function swish(tf: TensorFlow, x: Tensor): Tensor {
  return tf.mul(x, tf.sigmoid(x))
}

function hardSwish(tf: TensorFlow, x: Tensor): Tensor {
  return tf.div(tf.mul(x, tf.relu6(tf.add(x, 3))), 6)
}

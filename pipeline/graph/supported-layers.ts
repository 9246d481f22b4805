import { PipelineError } from '../errors.ts'
import type { Layer } from '../models/networks/layer-list.ts'

/** Layers that have an effect only during training. */
const TRAINING_ONLY = [
  'ActivityRegularization',
  'AlphaDropout',
  'Dropout',
  'GaussianDropout',
  'GaussianNoise',
  'RandomBrightness',
  'RandomContrast',
  'RandomFlip',
  'RandomRotation',
  'RandomTranslation',
  'RandomZoom',
  'SpatialDropout2D',
] as const

/** Every layer class that can be compiled, by its Keras name. */
export const SUPPORTED_LAYERS = [
  'Activation',
  ...TRAINING_ONLY,
  'Add',
  'Average',
  'AveragePooling2D',
  'BatchNormalization',
  'Concatenate',
  'Conv2D',
  'Cropping2D',
  'Dense',
  'DepthwiseConv2D',
  'ELU',
  'Flatten',
  'GlobalAveragePooling2D',
  'GlobalMaxPooling2D',
  'InputLayer',
  'LeakyReLU',
  'MaxPooling2D',
  'Maximum',
  'Minimum',
  'Multiply',
  'Permute',
  'ReLU',
  'Rescaling',
  'Reshape',
  'SeparableConv2D',
  'Softmax',
  'Subtract',
  'ZeroPadding2D',
] as const

export type SupportedLayer = (typeof SUPPORTED_LAYERS)[number]

// Sets, not objects: a file may name a class `__proto__` or `constructor`.
const supported: ReadonlySet<string> = new Set(SUPPORTED_LAYERS)
const trainingOnly: ReadonlySet<string> = new Set(TRAINING_ONLY)

export function isSupported(className: string): className is SupportedLayer {
  return supported.has(className)
}

/** Whether a layer's output is its unchanged input during prediction. */
export function isIdentity(className: string): boolean {
  return trainingOnly.has(className)
}

export function unsupportedLayer({ name, className }: Layer): PipelineError {
  return new PipelineError(
    'ERR_MODEL_UNSUPPORTED',
    `Layer '${name}' is of class ${className}, which cannot be compiled. These can: ${[...SUPPORTED_LAYERS].sort().join(', ')}.`,
  )
}

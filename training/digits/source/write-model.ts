import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Values } from './adam.ts'
import { fromFloat16, toFloat16 } from './float16.ts'
import { BATCH_EPSILON, INPUT_SIZE, type Sized, sizedSteps, sizeOf } from './network.ts'

const SHARD = 'group1-shard1of1.bin'

/** The values as they will be read from the file, where kernels have 16 bits. */
export function asWritten(values: Values): Values {
  return new Map(
    [...values].map(([name, each]) => [name, isHalf(name) ? fromFloat16(toFloat16(each)) : each] as const),
  )
}

/** Writes a TensorFlow.js layers model: the layers by their Keras names, and their weights in one file. */
export function writeModel(folder: string, values: Values): void {
  mkdirSync(folder, { recursive: true })
  const weights = sizedSteps().flatMap((sized) => weightsOf(sized, values))
  const model = {
    format: 'layers-model',
    generatedBy: 'training/digits of Tandem',
    convertedBy: null,
    modelTopology: {
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
      model_config: {
        class_name: 'Sequential',
        config: { name: 'digits', layers: sizedSteps().flatMap((sized, at) => layersOf(sized, at === 0)) },
      },
    },
    weightsManifest: [
      {
        paths: [SHARD],
        weights: weights.map(({ name, shape }) => ({
          name,
          shape,
          dtype: 'float32',
          ...(isHalf(name) && { quantization: { dtype: 'float16', original_dtype: 'float32' } }),
        })),
      },
    ],
  }
  const parts = weights.map(({ name, values }) =>
    Buffer.from((isHalf(name) ? toFloat16(values) : values).buffer),
  )
  writeFileSync(join(folder, SHARD), Buffer.concat(parts))
  writeFileSync(join(folder, 'model.json'), `${JSON.stringify(model)}\n`)
}

const isHalf = (name: string): boolean => name.endsWith('/kernel')

function layersOf({ step, after }: Sized, isFirst: boolean): object[] {
  const layer = (class_name: string, name: string, config: object) => ({
    class_name,
    config: { name, trainable: true, ...config },
  })
  const placed = { padding: 'valid', data_format: 'channels_last' }
  if (step.kind === 'pooling') {
    return [layer('MaxPooling2D', step.name, { pool_size: [2, 2], strides: [2, 2], ...placed })]
  }
  if (step.kind === 'dense') {
    const { name, units } = step
    return [
      layer('Flatten', `${name}_flatten`, { data_format: 'channels_last' }),
      layer('Dense', name, { units, activation: 'softmax', use_bias: true }),
    ]
  }
  const { name, filters, size } = step
  const kernel = { filters, kernel_size: [size, size], strides: [1, 1], dilation_rate: [1, 1] }
  const input = isFirst ? { batch_input_shape: [null, INPUT_SIZE, INPUT_SIZE, 1], dtype: 'float32' } : {}
  return [
    layer('Conv2D', name, { ...input, ...kernel, ...placed, activation: 'linear', use_bias: false }),
    layer('BatchNormalization', `${name}_bn`, {
      axis: -1,
      momentum: 0.99,
      epsilon: BATCH_EPSILON,
      center: true,
      scale: true,
    }),
    layer('Activation', `${name}_relu`, { activation: after.length === 3 ? 'relu' : 'linear' }),
  ]
}

interface Weight {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** The weights in Keras' order and layout: channels last. */
function weightsOf({ step, before }: Sized, values: Values): Weight[] {
  if (step.kind === 'pooling') return []
  const of = (name: string) => values.get(`${step.name}/${name}`) ?? new Float32Array()
  const [channels, height, width] = before
  if (step.kind === 'dense') {
    const kernel = reordered(of('kernel'), [channels, height * width, step.units], [1, 0, 2])
    return [
      { name: `${step.name}/kernel`, shape: [sizeOf(before), step.units], values: kernel },
      { name: `${step.name}/bias`, shape: [step.units], values: of('bias') },
    ]
  }
  const { filters, size } = step
  const kernel = reordered(of('kernel'), [filters, channels, size * size], [2, 1, 0])
  return [
    { name: `${step.name}/kernel`, shape: [size, size, channels, filters], values: kernel },
    ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name) => ({
      name: `${step.name}_bn/${name}`,
      shape: [filters],
      values: of(name),
    })),
  ]
}

type Three = readonly [number, number, number]

/** Reorders three axes: axis `axes[i]` of the input becomes axis i of the output. */
function reordered(values: Float32Array, sizes: Three, axes: Three): Float32Array {
  const steps = [sizes[1] * sizes[2], sizes[2], 1]
  const [high = 0, middle = 0, low = 0] = axes.map((axis) => sizes[axis] ?? 0)
  const [byHigh = 0, byMiddle = 0, byLow = 0] = axes.map((axis) => steps[axis] ?? 0)
  const result = new Float32Array(values.length)
  let to = 0
  for (let i = 0; i < high; i++) {
    for (let j = 0; j < middle; j++) {
      for (let k = 0; k < low; k++) result[to++] = values[i * byHigh + j * byMiddle + k * byLow] as number
    }
  }
  return result
}

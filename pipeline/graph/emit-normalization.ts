import { type Affine, type Emission, inputOf } from './emission.ts'
import { decimal, layerError } from './layer-config.ts'
import { anyOrder, plain, type Value } from './value.ts'

/** A batch normalization that cannot be merged into the layer before it. */
export async function emitNormalization(emission: Emission): Promise<Value> {
  const { graph, shape } = emission
  const affine = await readAffine(emission)
  const { order, tensor } = anyOrder(graph, plainIfFlattened(emission))
  const channels = affine.factors.length
  const axes = order === 'planes' ? [channels, 1, 1] : [channels]
  const factors = await graph.weights(axes, [Float32Array.from(affine.factors)])
  const shifts = await graph.weights(axes, [Float32Array.from(affine.shifts)])
  const y = graph.node('Add', [graph.node('Mul', [tensor, factors]), shifts])
  return { shape, nonNegative: false, tensors: { [order]: y } }
}

/** gamma · (x − mean) / √(variance + epsilon) + beta, as one factor and one shift for each channel. */
export async function readAffine({ layer, read }: Pick<Emission, 'layer' | 'read'>): Promise<Affine> {
  const epsilon = decimal(layer, 'epsilon', 1e-3)
  const [gamma, beta] = [await read('gamma'), await read('beta')]
  const [mean, variance] = [await read('moving_mean'), await read('moving_variance')]
  if (!mean || !variance) throw layerError(layer, 'its moving mean or variance is missing')
  const factors = Float64Array.from(variance, (v, i) => (gamma?.[i] ?? 1) / Math.sqrt(v + epsilon))
  const shifts = Float64Array.from(mean, (m, i) => (beta?.[i] ?? 0) - m * (factors[i] ?? 1))
  return { factors, shifts }
}

/** The factors are in Keras' order, so the tensor must be too. */
function plainIfFlattened(emission: Emission): Value {
  const value = inputOf(emission)
  if (!value.flattened) return value
  return {
    shape: value.shape,
    nonNegative: value.nonNegative,
    tensors: { plain: plain(emission.graph, value) },
  }
}

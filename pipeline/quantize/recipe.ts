import type { ByteWeights } from './byte-weights.ts'
import type { Histogram } from './histogram.ts'
import type { Covariance } from './patches.ts'
import type { Pixels } from './pixels.ts'

/** How the numbers of a tensor become bytes: number = scale · (byte − zero). */
export interface ByteScale {
  readonly scale: number
  readonly zero: number
}

/** `squares`: scales of least squared error, equalised channels, corrected biases. `minmax`: what occurs, from end to end. */
export type Method = 'squares' | 'minmax'

/** Everything that turns a compiled model into one of bytes, apart from the model: the table of scales. */
export interface Recipe {
  readonly method: Method
  readonly tensors: ReadonlyMap<string, ByteScale>
  /** By tensor: each channel is divided by its number before its scale applies; the layers around make up for that. */
  readonly channels: ReadonlyMap<string, Float32Array>
  /** The tensor whose bytes are the pixels of the image. */
  readonly pixels: Pixels | undefined
  /** By the output of the unit. */
  readonly convolutions: ReadonlyMap<string, ByteConvolution>
  /** The largest byte of a weight: 63 where the CPU adds products of bytes in 16 bits, which would overflow. */
  readonly most: 127 | 63
  /** The outputs of units that stay float. */
  readonly floats: ReadonlySet<string>
}

/** The histograms of the tensors that may become bytes, by the tensor's name. */
export type Histograms = ReadonlyMap<string, Histogram>

export interface Observed {
  readonly histograms: Histograms
  /** By tensor, without the batch. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  readonly pixels: Pixels | undefined
  /** Of the inputs of convolutions, by the convolution's output. */
  readonly covariances: ReadonlyMap<string, Covariance>
}

/** The weights of a convolution in bytes. */
export interface ByteConvolution extends ByteWeights {
  readonly dims: readonly number[]
  /** In the scale of the output's channels. */
  readonly biases: Float64Array
}

import type { Tensor } from '@tensorflow/tfjs-core'
import type { Shape } from '../../graph/kind.ts'
import type { Layer } from '../../models/networks/layer-list.ts'
import type { TensorFlow } from './tfjs-backend.ts'

/** Returns a new tensor, never one of the inputs, since inputs and output are disposed of separately. */
export type Operation = (inputs: readonly Tensor[]) => Tensor

/** An operation on one input. */
export type Unary = (x: Tensor) => Tensor

/** Everything that an operation is made from. */
export interface Ingredients {
  readonly tf: TensorFlow
  readonly layer: Layer
  /** In Keras' order. */
  readonly weights: readonly Tensor[]
  /** The shapes of the inputs, without the batch. */
  readonly inputs: readonly Shape[]
  /** The shape of the output, without the batch. */
  readonly output: Shape
}

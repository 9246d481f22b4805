import type { Tensor } from '@tensorflow/tfjs-core'
import type { Shape } from '../../graph/shapes.ts'
import type { Layer } from '../../models/networks/layer-list.ts'
import type { TensorFlow } from './tfjs-backend.ts'

/** Answers a new tensor, never one of its inputs: each tensor is disposed of by itself. */
export type Operation = (inputs: readonly Tensor[]) => Tensor

/** An operation on one input. */
export type Unary = (x: Tensor) => Tensor

/** What an operation is made from. */
export interface Ingredients {
  readonly tf: TensorFlow
  readonly layer: Layer
  /** In Keras' order. */
  readonly weights: readonly Tensor[]
  /** The shapes of what comes in and of what goes out, without the batch. */
  readonly inputs: readonly Shape[]
  readonly output: Shape
}

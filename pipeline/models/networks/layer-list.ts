/** In an input shape: the network takes images of any height or width. */
export const ANY_SIZE = Number.POSITIVE_INFINITY

/** The class of an operation. Keras gives a layer and an operation the same name, Add for example. */
export const operationClass = (name: string): string => `ops.${name}`

/** The class of the layers that stand for numbers in a model, such as 255 in `x / 255`. */
export const CONSTANT = 'Constant'

/** A network as plain data: the Keras functional graph, whatever the format of its file. */
export interface LayerList {
  /** The input's shape without the batch: [height, width, channels] for images, [n] for vectors. A size may be ANY_SIZE. */
  readonly inputShape: readonly number[]
  /** Every layer comes after its inputs; the first is the only InputLayer. */
  readonly layers: readonly Layer[]
  /** The name of the layer whose output is the answer. */
  readonly output: string
  /** The layers of all outputs, in Keras' order, if the model has several. */
  readonly outputs?: readonly string[]
}

export interface Layer {
  readonly name: string
  /** Keras' name of the class: Conv2D, Dense, ... */
  readonly className: string
  /** Keras' fields (filters, kernel_size, strides, padding, use_bias, activation, ...); a field may be missing. */
  readonly config: Readonly<Record<string, unknown>>
  /** The names of the layers whose outputs are the inputs, in order. */
  readonly inputs: readonly string[]
  /** The name of the layer whose weights this layer uses, where a model calls one layer several times. */
  readonly weightsOf?: string
}

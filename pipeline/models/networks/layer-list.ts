/** What a network is made of, as plain data: the Keras functional graph, whatever it was read from. */
export interface LayerList {
  /** The input's shape without the batch: [height, width, channels] for images, [n] for vectors. */
  readonly inputShape: readonly number[]
  /** In an order in which every layer comes after its inputs; the first is the one InputLayer. */
  readonly layers: readonly Layer[]
  /** The name of the layer whose output is the answer. */
  readonly output: string
}

export interface Layer {
  readonly name: string
  /** The class as Keras calls it: Conv2D, Dense, ... */
  readonly className: string
  /** Keras' own fields (filters, kernel_size, strides, padding, use_bias, activation, ...), those that Keras leaves out included. */
  readonly config: Readonly<Record<string, unknown>>
  /** Names of the layers whose outputs come in, in order. */
  readonly inputs: readonly string[]
}

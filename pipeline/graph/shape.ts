/** The sizes of a tensor without the batch, in Keras' order. */
export type Shape = readonly number[]

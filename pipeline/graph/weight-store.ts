/** An array of weights that can be read; its shape is known before a byte of it is. */
export interface WeightArray {
  /** As the file calls it, for messages. */
  readonly name: string
  readonly shape: readonly number[]
}

/**
 * Where the weights of a layer list come from, one array at a time: nothing is read before it is wanted, and nothing
 * is kept. Arrays are in the order and the orientation of Keras 2 and 3, float32, whatever the file has:
 *   Conv2D, Dense: kernel (kh, kw, in, out) or (in, out), bias?      DepthwiseConv2D: depthwise_kernel (kh, kw, in, mult), bias?
 *   SeparableConv2D: depthwise_kernel, pointwise_kernel, bias?       BatchNormalization: gamma?, beta?, moving_mean, moving_variance
 */
export interface WeightStore {
  /** The arrays of a layer, by the layer's name in the layer list; none for a layer without weights. */
  arrays(layer: string): readonly WeightArray[]
  read(layer: string, index: number): Promise<Float32Array>
  close(): Promise<void>
}

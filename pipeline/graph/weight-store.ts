import type { Layer } from '../models/networks/layer-list.ts'

/** An array of weights whose shape is known before the array is read. */
export interface WeightArray {
  /** The name in the file, for messages. */
  readonly name: string
  readonly shape: readonly number[]
}

/**
 * The source of the weights of a layer list. Each array is read when it is needed, and not kept. Arrays are float32, in
 * the order and orientation of Keras 2 and 3, whatever the format of the file. The plan of a layer lists its arrays.
 */
export interface WeightStore {
  /** The arrays of a layer, by the layer's name in the layer list; empty for a layer without weights. */
  arrays(layer: string): readonly WeightArray[]
  read(layer: string, index: number): Promise<Float32Array>
  close(): Promise<void>
}

/** The name of the layer whose weights a layer uses: its own, unless Keras shares one layer between several places. */
export const ownerOf = ({ name, weightsOf }: Layer): string => weightsOf ?? name

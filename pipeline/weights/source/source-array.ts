/** An array of a model's file. */
export interface SourceArray {
  /** The array's name in the file. */
  readonly name: string
  /** In Keras' order of axes, whatever the file's order is. */
  readonly shape: readonly number[]
  read(): Promise<Float32Array> | Float32Array
}

/** The arrays of one layer, or of one inner model. */
export interface SourceGroup {
  readonly name: string
  readonly arrays: readonly SourceArray[]
}

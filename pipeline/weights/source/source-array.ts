/** An array of a model's file, as the file has it. */
export interface SourceArray {
  /** As the file calls it. */
  readonly name: string
  /** In Keras' orientation, whatever it is in the file. */
  readonly shape: readonly number[]
  read(): Promise<Float32Array> | Float32Array
}

/** Arrays that belong to one layer of the file, or to one model inside of the model. */
export interface SourceGroup {
  readonly name: string
  readonly arrays: readonly SourceArray[]
}

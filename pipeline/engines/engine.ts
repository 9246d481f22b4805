/** Where a model is executed. */
export type Device = 'cpu' | 'webgpu' | 'cuda'

/** What executes a model. One run at a time; the caller sees to that. */
export interface Engine {
  readonly name: 'onnx' | 'tfjs'
  readonly device: string
  /** [height, width, channels] of one input. */
  readonly inputShape: readonly number[]
  /** How many numbers one answer has. */
  readonly outputSize: number
  /** `pixels` holds `n` images, uint8, one after the other, RGB interleaved; the answer holds n × outputSize numbers. */
  run(pixels: Uint8Array, n: number): Promise<Float32Array>
  close(): Promise<void>
}

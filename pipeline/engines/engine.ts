import type { OtherOutput } from '../graph/computed-outputs.ts'

/** The hardware that a model runs on. */
export type Device = 'cpu' | 'webgpu' | 'cuda'

/** Runs a model. The caller must not start a run before the previous one has ended. */
export interface Engine {
  readonly name: 'onnx' | 'tfjs'
  readonly device: string
  /** [height, width, channels] of one input; [height, width] without channels; [n] for a row of numbers. */
  readonly inputShape: readonly number[]
  /** The shape of the output for one image. */
  readonly outputShape: readonly number[]
  /** The number of numbers in the output for one image. */
  readonly outputSize: number
  /** The other outputs of the model that an answer has room for. */
  readonly others: readonly OtherOutput[]
  /** The number of numbers in a row of the answer: outputSize, and then those of the other outputs in their order. */
  readonly rowSize: number
  /** `pixels` holds `n` images one after the other, uint8, channels interleaved; the answer has n × rowSize numbers. */
  run(pixels: Uint8Array, n: number): Promise<Float32Array>
  close(): Promise<void>
}

import type { PipelineErrorCode } from '../../errors.ts'
import type { OnnxEngine } from './onnx.ts'

/** Messages to the thread that runs the model. The bytes are transferred, not copied. */
export type ToWorker =
  | { readonly kind: 'run'; readonly key: number; readonly bytes: Uint8Array; readonly n: number }
  | { readonly kind: 'close' }

export type FromWorker =
  | ({ readonly kind: 'ready' } & Pick<OnnxEngine, 'input' | 'outputShape' | 'others' | 'rowSize'>)
  | { readonly kind: 'failed'; readonly error: WorkerError }
  | { readonly kind: 'answer'; readonly key: number; readonly scores: Float32Array }
  | { readonly kind: 'failure'; readonly key: number; readonly error: WorkerError }

/** An error that crosses between threads loses its class and code, so the code is sent by itself. */
export interface WorkerError {
  readonly code: PipelineErrorCode
  readonly message: string
}

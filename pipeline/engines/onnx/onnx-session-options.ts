import type { InferenceSession } from 'onnxruntime-node'
import type { Device } from '../engine.ts'

export interface SessionRequest {
  readonly threads: number
  readonly device: Device
  /** Whether waiting threads spin: a little faster, but slows down other processes on the same cores. */
  readonly spin: boolean
  /** The graph is one that ONNX Runtime has saved: nothing is left to optimise. */
  readonly saved?: boolean
  /** Whether weights are copied into the order that is fastest for the CPU. Without that, int8 is as slow as float32. */
  readonly prepack?: boolean
}

/** The options of ONNX Runtime for running a model on a device. */
export function sessionOptions({
  device,
  threads,
  spin,
  saved = false,
  prepack = false,
}: SessionRequest): InferenceSession.SessionOptions {
  const onCpu = device === 'cpu'
  return {
    executionProviders: onCpu ? ['cpu'] : [device, 'cpu'],
    // With a GPU, little is left to the CPU. More threads would only spin, on the cores that decode images.
    intraOpNumThreads: onCpu ? threads : 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: saved ? 'disabled' : 'all',
    // Memory patterns keep a plan, and its memory, for each batch size. Without them, a batch of 8 in VGG-16
    // takes 365 MB instead of 590 MB, and is no slower.
    enableMemPattern: false,
    // Only errors: warnings would go to standard error as plain lines, and the log is JSON.
    logSeverityLevel: 3,
    extra: {
      session: {
        // Prepacking copies every matrix into private memory; without it, the CPU uses the mapped file, which processes
        // share. A GPU has a copy anyway, and would reorder unpacked weights again at each run.
        disable_prepacking: onCpu && !prepack ? '1' : '0',
        intra_op: { allow_spinning: onCpu && spin ? '1' : '0' },
      },
    },
  }
}

import type { InferenceSession } from 'onnxruntime-node'
import type { Device } from '../engine.ts'

export interface SessionRequest {
  readonly threads: number
  readonly device: Device
  /** Whether threads wait for work by spinning: a little faster, but a second process on the same cores pays for it. */
  readonly spin: boolean
}

/** How ONNX Runtime is to run a model on a device. */
export function sessionOptions({ device, threads, spin }: SessionRequest): InferenceSession.SessionOptions {
  const onCpu = device === 'cpu'
  return {
    executionProviders: onCpu ? ['cpu'] : [device, 'cpu'],
    // A GPU leaves the CPU little to compute. More threads would wait by spinning, on the cores that decode images.
    intraOpNumThreads: onCpu ? threads : 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // A plan of one batch's memory is kept for each size of batch: VGG-16 takes 590 MB at 8 images with it, 365 without,
    // and is no slower.
    enableMemPattern: false,
    // Warnings would go to the standard error of a process whose log is JSON.
    logSeverityLevel: 3,
    extra: {
      session: {
        // Packing copies every matrix into memory of this process; without it they are used where the file is mapped.
        // A GPU has a copy anyway, and unpacked it would be turned round again for each run.
        disable_prepacking: onCpu ? '1' : '0',
        intra_op: { allow_spinning: onCpu && spin ? '1' : '0' },
      },
    },
  }
}

import { rm } from 'node:fs/promises'
import { type OnnxOptions, openOnnx } from '../engines/onnx/onnx.ts'
import { type OpenedSaved, openSaved } from '../engines/onnx/saved-graph.ts'
import { readTuned, type Tuning, type TuningKey } from './tuning.ts'

export interface OpenedTuned extends OpenedSaved {
  /** Undefined if the model has not been tuned for this machine. */
  readonly tuning: Tuning | undefined
}

/** Opens a compiled model on the CPU: by its tuned graph if there is one, or else directly. */
export async function openTuned(options: OnnxOptions, winograd: TuningKey['winograd']): Promise<OpenedTuned> {
  const { modelPath, threads } = options
  const tuned = await readTuned({ modelPath, threads, winograd })
  if (tuned?.modelPath === undefined) return { ...(await openSaved(options)), tuning: tuned?.tuning }
  try {
    const engine = await openOnnx({ ...options, modelPath: tuned.modelPath, saved: true })
    return { engine, tuning: tuned.tuning, warning: undefined }
  } catch {
    // The copy is damaged. Another tuning makes another one.
    await rm(tuned.folder, { recursive: true, force: true }).catch(() => undefined)
    return { ...(await openSaved(options)), tuning: undefined }
  }
}

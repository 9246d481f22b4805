import './no-telemetry.ts'
import * as ort from 'onnxruntime-node'
import { sessionOptions } from './onnx-session-options.ts'

/** A graph on the CPU that gives any of its outputs, whatever their shapes. Takes pixels, one image at a time. */
export interface ExposedGraph {
  run(pixels: Uint8Array, wanted?: readonly string[]): Promise<ReadonlyMap<string, ExposedTensor>>
  close(): Promise<void>
}

export interface ExposedTensor {
  readonly numbers: Float32Array
  /** Without the batch. */
  readonly shape: readonly number[]
}

export interface ExposeRequest {
  readonly model: Uint8Array
  /** Where the file of the weights lies. */
  readonly folder: string
  readonly threads: number
  /** Whether weights are copied into the order that is fastest for the CPU: wanted for int8. */
  readonly prepack: boolean
}

export async function openExposedGraph(request: ExposeRequest): Promise<ExposedGraph> {
  const { model, folder, threads, prepack } = request
  const options = sessionOptions({ device: 'cpu', threads, spin: false, prepack })
  const { session: entries } = options.extra as { session: Record<string, unknown> }
  const session = await ort.InferenceSession.create(model, {
    ...options,
    extra: { session: { ...entries, model_external_initializers_file_folder_path: folder } },
  })
  const [name = ''] = session.inputNames
  const [metadata] = session.inputMetadata
  const shape = metadata?.isTensor ? metadata.shape.slice(1).map(Number) : []
  return {
    async run(pixels, wanted = session.outputNames) {
      const answer = await session.run({ [name]: new ort.Tensor('uint8', pixels, [1, ...shape]) }, [
        ...wanted,
      ])
      return new Map(
        Object.entries(answer).map(([output, { data, dims }]) => [
          output,
          { numbers: data as Float32Array, shape: dims.slice(1) },
        ]),
      )
    },
    close: () => session.release(),
  }
}

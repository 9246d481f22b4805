import './no-telemetry.ts'
import * as ort from 'onnxruntime-node'
import { type SessionRequest, sessionOptions } from './onnx-session-options.ts'

/** A part of a network on the CPU, to be measured: takes and gives floats of any shape and number. */
export interface BareGraph {
  run(): Promise<Float32Array>
  close(): Promise<void>
}

export async function openBareGraph(
  modelPath: string,
  request: Omit<SessionRequest, 'device'>,
  input: { readonly numbers: Float32Array; readonly shape: readonly number[] },
): Promise<BareGraph> {
  const session = await ort.InferenceSession.create(modelPath, sessionOptions({ ...request, device: 'cpu' }))
  const tensor = new ort.Tensor('float32', input.numbers, [...input.shape])
  const [name = ''] = session.inputNames
  const [wanted = ''] = session.outputNames
  return {
    async run() {
      const output = (await session.run({ [name]: tensor }, [wanted]))[wanted]
      return output?.data as Float32Array
    },
    close: () => session.release(),
  }
}

import './no-telemetry.ts'
import * as ort from 'onnxruntime-node'
import { PipelineError } from '../../errors.ts'
import type { Device, Engine } from '../engine.ts'
import { type ModelInput, modelInput, outputSize } from './onnx-metadata.ts'
import { type SessionRequest, sessionOptions } from './onnx-session-options.ts'

export interface OnnxOptions extends SessionRequest {
  readonly modelPath: string
  /** [height, width] of the images, for a model whose input has a variable size. */
  readonly imageSize?: readonly [number, number]
}

export interface OnnxEngine extends Engine {
  readonly name: 'onnx'
  /** The input of the model. `run` takes bytes in exactly this form. */
  readonly input: ModelInput
}

/** A session of ONNX Runtime. A run is synchronous: until it ends, this thread does nothing else. */
export async function openOnnx(options: OnnxOptions): Promise<OnnxEngine> {
  const { device, modelPath } = options
  const session = await createSession(options)
  try {
    const input = modelInput(session.inputMetadata, modelPath, options.imageSize)
    const size = outputSize(session.outputMetadata, modelPath)
    return engine(session, { device, input, size })
  } catch (error) {
    await session.release()
    throw error
  }
}

async function createSession(options: OnnxOptions): Promise<ort.InferenceSession> {
  const { device, modelPath } = options
  try {
    return await ort.InferenceSession.create(modelPath, sessionOptions(options))
  } catch (cause) {
    const what = device === 'cpu' ? 'ERR_MODEL_LOAD' : 'ERR_ENGINE'
    throw new PipelineError(what, `ONNX Runtime cannot open ${modelPath} on ${device}: ${reason(cause)}`, {
      cause,
    })
  }
}

interface SessionParts {
  readonly device: Device
  readonly input: ModelInput
  readonly size: number
}

function engine(session: ort.InferenceSession, { device, input, size }: SessionParts): OnnxEngine {
  const [outputName = ''] = session.outputNames
  let closed = false

  async function runOnce(bytes: Uint8Array, n: number): Promise<Float32Array> {
    const feed = { [input.name]: tensor(input, bytes, n) }
    const result = await session.run(feed, [outputName])
    const scores = result[outputName]?.data
    if (scores instanceof Float32Array && scores.length === n * size) return scores
    throw new PipelineError(
      'ERR_ENGINE',
      `The model answered ${n} images with ${scores?.length} numbers, not ${n * size}.`,
    )
  }

  return {
    name: 'onnx',
    device,
    input,
    inputShape: input.shape,
    outputSize: size,
    async run(bytes, n) {
      if (closed) throw new PipelineError('ERR_ENGINE', 'The model is closed.')
      const each = bytesPerImage(input)
      if (bytes.length !== n * each) {
        throw new PipelineError(
          'ERR_ENGINE',
          `${n} images need ${n * each} bytes; there are ${bytes.length}.`,
        )
      }
      if (!input.oneAtATime) return runOnce(bytes, n)
      const scores = new Float32Array(n * size)
      for (let i = 0; i < n; i++)
        scores.set(await runOnce(bytes.subarray(i * each, (i + 1) * each), 1), i * size)
      return scores
    },
    async close() {
      if (closed) return
      closed = true
      await session.release()
    },
  }
}

function tensor({ type, order, shape }: ModelInput, bytes: Uint8Array, n: number): ort.Tensor {
  const [height = 1, width = 1, channels = 1] = shape
  const image = order === 'nchw' ? [channels, height, width] : shape
  if (type === 'uint8') return new ort.Tensor('uint8', bytes, [n, ...image])
  // A view of floats must begin at a multiple of four, so bytes at another offset are copied.
  const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  return new ort.Tensor('float32', new Float32Array(buffer, byteOffset, bytes.length / 4), [n, ...image])
}

function bytesPerImage({ type, shape }: ModelInput): number {
  return shape.reduce((product, size) => product * size, type === 'uint8' ? 1 : 4)
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

import './no-telemetry.ts'
import * as ort from 'onnxruntime-node'
import { PipelineError } from '../../errors.ts'
import { fromHalf, toHalf } from '../../half.ts'
import type { Device, Engine } from '../engine.ts'
import { mustAnswerFew } from '../size-limits.ts'
import {
  type InputHints,
  type ModelInput,
  modelInput,
  outputShape,
  unsupported,
  wantedOutput,
} from './onnx-metadata.ts'
import { type SessionRequest, sessionOptions } from './onnx-session-options.ts'

export interface OnnxOptions extends SessionRequest {
  readonly modelPath: string
  /** [height, width] of the images, for a model whose input has a variable size. */
  readonly imageSize?: readonly [number, number]
  readonly hints?: InputHints
  /** Which of several outputs is wanted: its name or its place. */
  readonly head?: string | number
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
    const input = modelInput(session.inputMetadata, modelPath, options.imageSize, options.hints)
    const output = wantedOutput(session.outputMetadata, options.head)
    const { name } = output
    const shape = outputShape(output, modelPath) ?? (await triedShape(session, { input, name }, modelPath))
    mustAnswerFew(shape, modelPath)
    return engine(session, { device, input, shape, name })
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

/** The shape of an output whose sizes the file does not tell, from a run with a black image. */
async function triedShape(
  session: ort.InferenceSession,
  { input, name }: Pick<SessionParts, 'input' | 'name'>,
  path: string,
): Promise<number[]> {
  const n = input.batch ?? 1
  const black = new Uint8Array(n * bytesPerImage(input))
  const output = (await session.run({ [input.name]: tensor(input, black, n) }, [name]))[name]
  const [first, ...sizes] = output?.dims ?? []
  if (first === n && sizes.length > 0) return sizes
  throw unsupported(
    path,
    `it answers ${n} images with [${output?.dims.join(', ')}], not with one row for each image`,
  )
}

interface SessionParts {
  readonly device: Device
  readonly input: ModelInput
  /** Of the output for one image. */
  readonly shape: readonly number[]
  /** Of the output. */
  readonly name: string
}

function engine(session: ort.InferenceSession, { device, input, shape, name }: SessionParts): OnnxEngine {
  const size = shape.reduce((product, length) => product * length, 1)
  let closed = false

  async function runOnce(bytes: Uint8Array, n: number): Promise<Float32Array> {
    const feed = { [input.name]: tensor(input, bytes, n) }
    const result = await session.run(feed, [name])
    const scores = floats(result[name]?.data)
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
    outputShape: shape,
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
      const { batch } = input
      if (batch === undefined || batch === n) return runOnce(bytes, n)
      const scores = new Float32Array(n * size)
      for (let i = 0; i < n; i += batch) {
        const count = Math.min(batch, n - i)
        const part = bytes.subarray(i * each, (i + count) * each)
        scores.set((await runOnce(filled(part, batch * each), batch)).subarray(0, count * size), i * size)
      }
      return scores
    },
    async close() {
      if (closed) return
      closed = true
      await session.release()
    },
  }
}

function tensor({ type, half, order, shape }: ModelInput, bytes: Uint8Array, n: number): ort.Tensor {
  const [height = 1, width = 1, channels = 1] = shape
  const image = order === 'nchw' ? [channels, height, width] : shape
  if (type === 'uint8') return new ort.Tensor('uint8', bytes, [n, ...image])
  // A view of floats must begin at a multiple of four, so bytes at another offset are copied.
  const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  const values = new Float32Array(buffer, byteOffset, bytes.length / 4)
  if (half) return new ort.Tensor('float16', toHalf(values), [n, ...image])
  return new ort.Tensor('float32', values, [n, ...image])
}

/** Later versions of Node have numbers of 16 bits; earlier ones get their bits. */
function floats(data: ort.Tensor['data'] | undefined): Float32Array | undefined {
  if (data === undefined || data instanceof Float32Array) return data
  return data instanceof Uint16Array ? fromHalf(data) : Float32Array.from(data as ArrayLike<number>)
}

/** Black images fill a batch that the model takes only whole. */
function filled(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes
  const whole = new Uint8Array(length)
  whole.set(bytes)
  return whole
}

function bytesPerImage({ type, shape }: ModelInput): number {
  return shape.reduce((product, size) => product * size, type === 'uint8' ? 1 : 4)
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

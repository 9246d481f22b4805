import './no-telemetry.ts'
import * as ort from 'onnxruntime-node'
import { PipelineError } from '../../errors.ts'
import { type OtherOutput, shortOutputs, sizeOf } from '../../graph/computed-outputs.ts'
import { fromHalf, toHalf } from '../../half.ts'
import type { Device, Engine } from '../engine.ts'
import { sideBySide } from '../side-by-side.ts'
import { mustAnswerFew } from '../size-limits.ts'
import {
  type InputHints,
  isOfFloats,
  knownShape,
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
  /** Whether a graph is saved with packed weights. ONNX Runtime reads those of bytes alone, and crashes with some of floats. */
  readonly packed?: boolean
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
    const shape = outputShape(output, modelPath) ?? (await triedShape(session, input, output.name, modelPath))
    mustAnswerFew(shape, modelPath)
    const others = await otherOutputs(session, input, output.name)
    return engine(session, { device, input, shape, name: output.name, others })
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
  input: ModelInput,
  name: string,
  path: string,
): Promise<number[]> {
  const n = input.batch ?? 1
  const [dims = []] = await triedDims(session, input, [name])
  const [first, ...sizes] = dims
  if (first === n && sizes.length > 0) return sizes
  throw unsupported(path, `it answers ${n} images with [${dims.join(', ')}], not with one row for each image`)
}

/** The sizes of outputs in the answer to black images, as many as the model takes at a time. */
async function triedDims(
  session: ort.InferenceSession,
  input: ModelInput,
  names: readonly string[],
): Promise<(readonly number[])[]> {
  const n = input.batch ?? 1
  const black = new Uint8Array(n * bytesPerImage(input))
  const answer = await session.run({ [input.name]: tensor(input, black, n) }, [...names])
  return names.map((name) => answer[name]?.dims ?? [])
}

/** The other outputs that have floats, and one row of them for each image. */
async function otherOutputs(
  session: ort.InferenceSession,
  input: ModelInput,
  served: string,
): Promise<OtherOutput[]> {
  const floats = session.outputMetadata.filter((output) => output.name !== served && isOfFloats(output))
  const names = floats.filter((output) => knownShape(output) === undefined).map(({ name }) => name)
  const tried = names.length === 0 ? [] : await triedDims(session, input, names)
  const n = input.batch ?? 1
  const outputs = floats.flatMap((output): OtherOutput[] => {
    const shape = knownShape(output)
    if (shape) return [{ name: output.name, shape }]
    const [first, ...sizes] = tried[names.indexOf(output.name)] ?? []
    return first === n && sizes.length > 0 ? [{ name: output.name, shape: sizes }] : []
  })
  return shortOutputs(outputs)
}

interface SessionParts {
  readonly device: Device
  readonly input: ModelInput
  /** Of the output for one image. */
  readonly shape: readonly number[]
  /** Of the output. */
  readonly name: string
  readonly others: readonly OtherOutput[]
}

function engine(session: ort.InferenceSession, parts: SessionParts): OnnxEngine {
  const { device, input, shape, name, others } = parts
  const outputs = [
    { name, size: sizeOf(shape) },
    ...others.map(({ name, shape }) => ({ name, size: sizeOf(shape) })),
  ]
  const rowSize = outputs.reduce((sum, { size }) => sum + size, 0)
  let closed = false

  async function runOnce(bytes: Uint8Array, n: number): Promise<Float32Array> {
    const feed = { [input.name]: tensor(input, bytes, n) }
    const result = await session.run(
      feed,
      outputs.map(({ name }) => name),
    )
    const columns = outputs.map(({ name, size }) => {
      const scores = floats(result[name]?.data)
      if (scores instanceof Float32Array && scores.length === n * size) return scores
      throw new PipelineError(
        'ERR_ENGINE',
        `The model answered ${n} images with ${scores?.length} numbers, not ${n * size}.`,
      )
    })
    return sideBySide(columns, n)
  }

  return {
    name: 'onnx',
    device,
    input,
    inputShape: input.shape,
    outputShape: shape,
    outputSize: sizeOf(shape),
    others,
    rowSize,
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
      const scores = new Float32Array(n * rowSize)
      for (let i = 0; i < n; i += batch) {
        const count = Math.min(batch, n - i)
        const part = bytes.subarray(i * each, (i + count) * each)
        scores.set(
          (await runOnce(filled(part, batch * each), batch)).subarray(0, count * rowSize),
          i * rowSize,
        )
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

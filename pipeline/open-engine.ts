import { dirname } from 'node:path'
import type { Progress } from '../broker/pipeline.ts'
import { availableDevices } from './engines/device/available-devices.ts'
import { chooseDevice } from './engines/device/device.ts'
import type { Device, Engine } from './engines/engine.ts'
import { type OnnxEngine, openOnnx } from './engines/onnx/onnx.ts'
import { openOnnxThread } from './engines/onnx/onnx-thread.ts'
import { pixelInput } from './engines/onnx/pixel-input.ts'
import { probeOnnx } from './engines/onnx/probe-onnx.ts'
import { PipelineError } from './errors.ts'
import { compiledDir, type FoundModel } from './found-model.ts'
import { compiledModel } from './graph/compiled-cache.ts'
import { temporaryModel } from './graph/temporary-model.ts'
import { type Compile, UnwritableError } from './graph/write-model.ts'

export interface EngineRequest {
  weightsDir: string
  engine: 'onnx' | 'tfjs'
  device: 'auto' | Device
  threads: number
  /** Whether waiting threads spin. They must not where several children share the cores. */
  spin: boolean
  maxBatch: number
}

export interface OpenedEngine {
  engine: Engine
  /** Which device, and why. */
  reason: string
}

/** The model on the requested engine and device, warmed up. */
export async function openEngine(
  found: FoundModel,
  request: EngineRequest,
  progress: Progress,
): Promise<OpenedEngine> {
  const opened =
    request.engine === 'tfjs'
      ? await onTfjs(found, request, progress)
      : await onOnnx(found, request, progress)
  progress(0.95, 'warming up')
  const { engine } = opened
  // The first run is slow, since it allocates memory for all later runs: no client should wait for it.
  await engine.run(samplePixels(engine, 1), 1)
  // A GPU compiles one set of shaders for one image and another for two; the second mostly serves larger batches too.
  if (engine.name === 'onnx' && engine.device !== 'cpu' && request.maxBatch > 1) {
    await engine.run(samplePixels(engine, 2), 2)
  }
  return opened
}

async function onOnnx(found: FoundModel, request: EngineRequest, progress: Progress): Promise<OpenedEngine> {
  const { modelPath, release } = await modelFile(found, request, progress)
  try {
    return await openFile(modelPath, found, request, progress)
  } catch (error) {
    throw found.isOnnx ? error : ofCompiled(error, modelPath)
  } finally {
    await release()
  }
}

async function openFile(
  modelPath: string,
  found: FoundModel,
  request: EngineRequest,
  progress: Progress,
): Promise<OpenedEngine> {
  const { threads, spin, maxBatch, device } = request
  const { size } = found.settings
  const model = { modelPath, threads, spin, ...(size && { imageSize: size }) }
  // On a CPU the model takes all cores anyway. With a GPU, a thread for the model leaves this one free to prepare
  // images.
  const open = (on: Device) => (on === 'cpu' ? openOnnx : openOnnxThread)({ ...model, device: on })
  const available = device === 'auto' ? availableDevices() : []
  const isChoice = available.some((other) => other !== 'cpu')
  if (isChoice) progress(0.9, 'measuring devices')
  const sample = isChoice ? await sampleFor(open, maxBatch) : new Uint8Array()
  const probe = probeOnnx(model, sample, maxBatch)
  const chosen = await chooseDevice({ wanted: device, open, available, sample, batch: maxBatch, probe })
  return { engine: pixelInput(chosen.engine, found.preprocessing), reason: chosen.report }
}

/** A batch of sample input, in the type and shape of the model's input; the model is opened once to learn them. */
async function sampleFor(open: (device: Device) => Promise<OnnxEngine>, batch: number): Promise<Uint8Array> {
  const { input, close } = await open('cpu')
  await close()
  const values = patterned(input.shape.reduce((product, length) => product * length, batch))
  if (input.type === 'uint8') return values
  return new Uint8Array(Float32Array.from(values, (value) => value / 127.5 - 1).buffer)
}

/** The damage is in the compiled copy, not in the user's file: a retry succeeds once the copy is gone. */
function ofCompiled(error: unknown, modelPath: string): unknown {
  if (!(error instanceof PipelineError) || error.code !== 'ERR_MODEL_LOAD') return error
  const message = `${error.message} Remove ${dirname(modelPath)} to have the model compiled again.`
  return new PipelineError('ERR_ENGINE', message, { cause: error })
}

interface ModelFile {
  readonly modelPath: string
  /** Removes a temporary model; to be called once the engine has opened the model. */
  release(): Promise<void>
}

/** The user's own ONNX file, unchanged; otherwise the compiled model, or a temporary one where none can be stored. */
async function modelFile(
  found: FoundModel,
  { weightsDir }: EngineRequest,
  progress: Progress,
): Promise<ModelFile> {
  const nothing = async () => undefined
  if (found.isOnnx) return { modelPath: found.path, release: nothing }
  const compile: Compile = async (dataFile, write) => {
    progress(0.5, 'compiling')
    // Imported here, since later starts find the compiled model and do not need the compiler.
    const { compileGraph } = await import('./graph/compile.ts')
    const { layers, weights, close } = await found.open()
    try {
      const { preprocessing } = found
      return await compileGraph(layers, weights, { preprocessing, input: 'uint8', dataFile }, (bytes) => {
        // The broker kills a silent child, and compiling a large model takes minutes on a busy machine.
        progress(0.5, 'compiling')
        return write(bytes)
      })
    } finally {
      await close()
    }
  }
  try {
    const cacheDir = compiledDir(weightsDir)
    return { ...(await compiledModel({ cacheDir, key: found.key, compile })), release: nothing }
  } catch (error) {
    if (!(error instanceof UnwritableError)) throw error
    const temporary = await temporaryModel(found.key, compile)
    warn(`${error.message} The model is compiled again at each start, in ${temporary.parent}.`)
    return temporary
  }
}

/** The service logs each line that a child writes to its standard error as a warning. */
function warn(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
}

async function onTfjs(
  found: FoundModel,
  { threads }: EngineRequest,
  progress: Progress,
): Promise<OpenedEngine> {
  progress(0.5, 'loading the weights into TensorFlow.js')
  // Imported here, since TensorFlow.js is not installed by default.
  const { openTfjs } = await import('./engines/tfjs/tfjs.ts')
  const { layers, weights, close } = await found.open()
  try {
    const { preprocessing } = found
    const engine = await openTfjs({ layers, weights, preprocessing, input: 'uint8', threads })
    return { engine, reason: `${engine.device}, the fastest backend of TensorFlow.js that is installed` }
  } finally {
    await close()
  }
}

function samplePixels({ inputShape }: Engine, n: number): Uint8Array {
  return patterned(inputShape.reduce((product, length) => product * length, n))
}

/** A pattern, not zeros and not one value: a faulty device may answer right for those alone. */
function patterned(length: number): Uint8Array {
  return new Uint8Array(length).map((_, i) => (i * 37 + (i >> 8)) & 255)
}

import { dirname } from 'node:path'
import type { Progress } from '../broker/pipeline.ts'
import { ANY_SIZE_KEY, compilerOf } from './compile-found.ts'
import { availableDevices } from './engines/device/available-devices.ts'
import { chooseDevice } from './engines/device/device.ts'
import type { Device, Engine } from './engines/engine.ts'
import { type OnnxEngine, openOnnx } from './engines/onnx/onnx.ts'
import { openOnnxThread } from './engines/onnx/onnx-thread.ts'
import { pixelInput } from './engines/onnx/pixel-input.ts'
import { probeOnnx } from './engines/onnx/probe-onnx.ts'
import { openSaved } from './engines/onnx/saved-graph.ts'
import { patterned, samplePixels } from './engines/sample-pixels.ts'
import { mustAnswerFew, mustTakeFew } from './engines/size-limits.ts'
import { PipelineError } from './errors.ts'
import { inputHints } from './facts/input-hints.ts'
import { type LastFunction, lastFunction } from './facts/last-function.ts'
import { ownScaling } from './facts/own-scaling.ts'
import { compiledDir, type FoundModel } from './found-model.ts'
import { compiledModel } from './graph/compiled-cache.ts'
import { temporaryModel } from './graph/temporary-model.ts'
import { layerOfOther } from './graph/tensor-names.ts'
import { UnwritableError } from './graph/write-model.ts'
import { type Quantization, type Quantized, quantizedFolder, readQuantized } from './quantize/quantized.ts'
import { type OpenedTuned, openTuned } from './tuning/open-tuned.ts'
import type { Tuning } from './tuning/tuning.ts'
import { onnxOutline } from './weights/onnx/onnx-outline.ts'

export interface EngineRequest {
  weightsDir: string
  engine: 'onnx' | 'tfjs'
  device: 'auto' | Device
  threads: number
  /** Whether waiting threads spin. They must not where several children share the cores. */
  spin: boolean
  maxBatch: number
  /** Whether convolutions are computed by Winograd's way where that has been measured to be faster. */
  winograd: 'auto' | 'off'
  /** Whether models are computed with floats or with bytes, unless their own settings tell. */
  precision: 'fp32' | 'int8' | 'auto'
  /** The part of the pictures whose best class must be the same with bytes. */
  precisionAgreement?: number
  /** Whether the caller quantizes a model with pictures of requests. */
  calibrates?: boolean
}

export interface OpenedEngine {
  engine: Engine
  /** Which device, and why. */
  reason: string
  /** What the model's last layer does; undefined if the layer does not tell. */
  lastFunction: LastFunction | undefined
  /** What was measured about the model on this machine. `wanted`: nothing yet. Undefined where there is nothing to measure. */
  tuning: Tuning | 'wanted' | undefined
  /** How the model was turned into one of bytes, if it was. */
  quantization: Quantization | undefined
  /** Sentences for the log. Not written to stderr: every child would repeat them at each start. */
  warnings: readonly string[]
}

/** The model on the requested engine and device, warmed up. */
export async function openEngine(
  found: FoundModel,
  request: EngineRequest,
  progress: Progress,
): Promise<OpenedEngine> {
  const opened = await openUnused(found, request, progress)
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

async function openUnused(
  found: FoundModel,
  request: EngineRequest,
  progress: Progress,
): Promise<OpenedEngine> {
  const wanted = wantedPrecision(found, request)
  const quantized = wanted && (await quantizedFor(found, request, wanted))
  if (quantized) return onBytes(quantized, found, request, progress)
  return request.engine === 'tfjs' ? onTfjs(found, request, progress) : onOnnx(found, request, progress)
}

/** Undefined for floats. */
function wantedPrecision({ settings, isOnnx }: FoundModel, request: EngineRequest): Wanted | undefined {
  const { precision = isOnnx ? 'fp32' : request.precision, dense } = settings
  if (precision === 'int8') return 'int8'
  if (precision === 'auto') return 'auto'
  return dense === 'int8' ? 'dense' : undefined
}

type Wanted = Quantization['precision'] | 'auto'

/** The model of bytes. `auto`: if there is one. */
async function quantizedFor(
  { key, path, isOnnx }: FoundModel,
  { weightsDir, engine, device, model }: EngineRequest & { model?: string },
  wanted: Wanted,
): Promise<Quantized | undefined> {
  const precision = wanted === 'auto' ? 'int8' : wanted
  const isPossible = !isOnnx && engine === 'onnx' && (device === 'auto' || device === 'cpu')
  const found = isPossible ? await readQuantized(quantizedFolder(weightsDir, key, precision)) : undefined
  if (found || wanted === 'auto') return found
  const what = precision === 'dense' ? 'The dense layers of the model are' : 'The model is'
  if (!isPossible) {
    const why = isOnnx
      ? `${path} is an ONNX file, which Tandem runs as it is`
      : `int8 needs ENGINE=onnx and DEVICE=auto or cpu, not ${engine} and ${device}`
    throw new PipelineError('ERR_MODEL_SETTINGS', `${what} to be computed as int8, but ${why}.`)
  }
  const more = precision === 'dense' ? ' --dense' : ''
  throw new PipelineError(
    'ERR_NOT_QUANTIZED',
    `${what} to be computed as int8, but has not been quantized for this kind of CPU. Run: tandem quantize ${model ?? path} --images FOLDER${more}`,
  )
}

/** Operators on floats whose weights ONNX Runtime packs. */
const FLOAT_WEIGHTS: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul'])

async function onBytes(
  { modelPath, quantization }: Quantized,
  found: FoundModel,
  { threads, spin }: EngineRequest,
  progress: Progress,
): Promise<OpenedEngine> {
  progress(0.85, 'opening the model')
  const outline = onnxOutline(modelPath)
  const packed = !outline.nodes.some(({ op }) => FLOAT_WEIGHTS.has(op))
  const options = {
    modelPath,
    threads,
    spin,
    imageSize: found.size,
    device: 'cpu',
    prepack: true,
    packed,
  } as const
  const { engine, warning } = await openSaved(options)
  // The layer that ends the float model ends this one too.
  const last = lastFunction(outline, undefined)
  return {
    engine: named(pixelInput(engine, found.preprocessing), found),
    reason: 'cpu, the only device for int8',
    lastFunction: last,
    tuning: undefined,
    quantization,
    warnings: warning === undefined ? [] : [warning],
  }
}

async function onOnnx(found: FoundModel, request: EngineRequest, progress: Progress): Promise<OpenedEngine> {
  const file = await modelFile(found, request, progress)
  try {
    const opened = await openFile(file, found, request, progress)
    return { ...opened, warnings: [...file.warnings, ...opened.warnings] }
  } catch (error) {
    throw found.isOnnx ? error : ofCompiled(error, file.modelPath)
  } finally {
    await file.release()
  }
}

async function openFile(
  { modelPath, isStored }: ModelFile,
  found: FoundModel,
  request: EngineRequest,
  progress: Progress,
): Promise<OpenedEngine> {
  const { threads, spin, maxBatch, device, winograd } = request
  const outline = onnxOutline(modelPath)
  // Of a compiled model, the wanted output is the only one.
  const { head } = found.isOnnx ? found.settings : {}
  const more = { hints: inputHints(outline), ...(head !== undefined && { head }) }
  const model = { modelPath, threads, spin, imageSize: found.size, ...more }
  let cpu: Pick<OpenedTuned, 'tuning' | 'warning'> | undefined
  const onCpu = async () => {
    // To check a GPU that was requested, the CPU runs once: saving a graph for the CPU would take longer than that.
    const isOnlyCheck = device !== 'auto' && device !== 'cpu'
    if (!isStored || isOnlyCheck) return openOnnx({ ...model, device: 'cpu' })
    progress(0.85, 'opening the model')
    const { engine, tuning, warning } = await openTuned({ ...model, device: 'cpu' }, winograd)
    cpu = { tuning, warning }
    return engine
  }
  // On a CPU the model takes all cores anyway. With a GPU, a thread for the model leaves this one free to prepare
  // images.
  const open = (on: Device) => (on === 'cpu' ? onCpu() : openOnnxThread({ ...model, device: on }))
  const available = device === 'auto' ? availableDevices() : []
  const isChoice = available.some((other) => other !== 'cpu')
  if (isChoice) progress(0.9, 'measuring devices')
  const probe = probeOnnx(model, maxBatch)
  const chosen = await chooseDevice({
    wanted: device,
    open,
    available,
    sample: sampleFor,
    batch: maxBatch,
    probe,
  })
  const { engine, report } = chosen
  const scaling = ownScaling(outline)
  return {
    engine: named(pixelInput(engine, found.preprocessing), found),
    reason: report,
    lastFunction: lastFunction(outline, head),
    tuning: cpu && engine.device === 'cpu' ? (cpu.tuning ?? 'wanted') : undefined,
    quantization: undefined,
    warnings: [
      ...(cpu?.warning === undefined ? [] : [cpu.warning]),
      ...(engine.input.anySize || outline.metadata.has(ANY_SIZE_KEY) ? sizeWarnings(found) : []),
      ...(scaling === undefined ? [] : scalingWarnings(scaling, found)),
      ...(found.isOnnx && engine.input.type === 'uint8' ? bytesWarnings(found) : []),
    ],
  }
}

/** The other outputs by the names that they have in the user's file. */
function named(engine: Engine, { isOnnx }: FoundModel): Engine {
  if (isOnnx) return engine
  return { ...engine, others: engine.others.map(({ name, shape }) => ({ name: layerOfOther(name), shape })) }
}

function sizeWarnings({ settings, size }: FoundModel): string[] {
  if (settings.size) return []
  return [
    `The model takes images of any size, and gets them with ${size.join(' × ')} pixels. Set "size" to the [height, width] of its training.`,
  ]
}

function scalingWarnings(layer: string, { preprocessing }: FoundModel): string[] {
  if (preprocessing === 'none') return []
  return [
    `The model scales the pixels itself (${layer}), and "preprocessing": "${preprocessing}" scales them before that. If the answers are wrong, set "preprocessing" to "none".`,
  ]
}

function bytesWarnings({ preprocessing }: FoundModel): string[] {
  if (preprocessing === 'none') return []
  return [`The model takes bytes, so "preprocessing": "${preprocessing}" has no effect: remove the setting.`]
}

/** A batch of sample input, in the type and shape of the model's input; the model is opened once to learn them. */
function sampleFor({ input }: OnnxEngine, images: number): Uint8Array {
  const values = patterned(input.shape.reduce((product, length) => product * length, images))
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
  readonly warnings: readonly string[]
  /** A compiled model that later starts will find. */
  readonly isStored: boolean
  /** Removes a temporary model; to be called once the engine has opened the model. */
  release(): Promise<void>
}

/** The user's own ONNX file, unchanged; otherwise the compiled model, or a temporary one where none can be stored. */
async function modelFile(
  found: FoundModel,
  { weightsDir }: EngineRequest,
  progress: Progress,
): Promise<ModelFile> {
  const kept = { warnings: [], release: async () => undefined }
  if (found.isOnnx) return { modelPath: found.path, isStored: false, ...kept }
  const compile = compilerOf(found, progress)
  try {
    const cacheDir = compiledDir(weightsDir)
    return { ...(await compiledModel({ cacheDir, key: found.key, compile })), isStored: true, ...kept }
  } catch (error) {
    if (!(error instanceof UnwritableError)) throw error
    const temporary = await temporaryModel(found.key, compile)
    const warning = `${error.message} The model is compiled again at each start, in ${temporary.parent}.`
    return { ...temporary, isStored: false, warnings: [warning] }
  }
}

async function onTfjs(
  found: FoundModel,
  { threads }: EngineRequest,
  progress: Progress,
): Promise<OpenedEngine> {
  progress(0.5, 'loading the weights into TensorFlow.js')
  // Imported here, since TensorFlow.js is not installed by default.
  const { openTfjs } = await import('./engines/tfjs/tfjs.ts')
  const { layers, anySize, weights, close } = await found.open()
  try {
    const { preprocessing } = found
    const engine = await openTfjs({ layers, weights, preprocessing, input: 'uint8', threads })
    mustTakeFew(engine.inputShape, 1, found.path)
    mustAnswerFew(engine.outputShape, found.path)
    const reason = `${engine.device}, the fastest backend of TensorFlow.js that is installed`
    const warnings = anySize ? sizeWarnings(found) : []
    return { engine, reason, lastFunction: undefined, tuning: undefined, quantization: undefined, warnings }
  } finally {
    await close()
  }
}

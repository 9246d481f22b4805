import { availableDevices, chooseDevice, type Device } from './engines/device.ts'
import type { Engine } from './engines/engine.ts'
import { type OnnxEngine, openOnnx } from './engines/onnx.ts'
import { openOnnxThread } from './engines/onnx-thread.ts'
import { pixelInput } from './engines/pixel-input.ts'
import { probeOnnx } from './engines/probe-onnx.ts'
import { compiledModel } from './graph/compiled-cache.ts'
import { compiledDir, type FoundModel } from './load-model.ts'

export interface EngineRequest {
  weightsDir: string
  engine: 'onnx' | 'tfjs'
  device: 'auto' | Device
  threads: number
  /** Whether waiting threads spin; not where several children share the cores. */
  spin: boolean
  maxBatch: number
}

export interface OpenedEngine {
  engine: Engine
  /** Which device, and why. */
  reason: string
}

type Progress = (fraction: number, word: string) => void

/** The model on the engine and the device that were asked for, warmed up. */
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
  // The first run allocates what every later one uses; nobody should wait for it.
  await engine.run(samplePixels(engine, 1), 1)
  // A GPU compiles other shaders for two images than for one. Those for two mostly do for more.
  if (engine.name === 'onnx' && engine.device !== 'cpu' && request.maxBatch > 1) {
    await engine.run(samplePixels(engine, 2), 2)
  }
  return opened
}

async function onOnnx(found: FoundModel, request: EngineRequest, progress: Progress): Promise<OpenedEngine> {
  const modelPath = found.isOnnx ? found.path : await compiledPath(found, request, progress)
  const { threads, spin, maxBatch, device } = request
  const { size } = found.settings
  const model = { modelPath, threads, spin, ...(size && { imageSize: size }) }
  // On a CPU the model takes all cores anyway. While a GPU computes, this thread goes on preparing images.
  const open = (on: Device) => (on === 'cpu' ? openOnnx : openOnnxThread)({ ...model, device: on })
  const available = device === 'auto' ? availableDevices() : []
  const isChoice = available.some((other) => other !== 'cpu')
  if (isChoice) progress(0.9, 'measuring devices')
  const sample = isChoice ? await sampleFor(open, maxBatch) : new Uint8Array()
  const probe = probeOnnx(model, sample, maxBatch)
  const chosen = await chooseDevice({ wanted: device, open, available, sample, batch: maxBatch, probe })
  return { engine: pixelInput(chosen.engine, found.preprocessing), reason: chosen.report }
}

/** A batch of what the model wants to be given, which only the model knows. */
async function sampleFor(open: (device: Device) => Promise<OnnxEngine>, batch: number): Promise<Uint8Array> {
  const { input, close } = await open('cpu')
  await close()
  const values = patterned(input.shape.reduce((product, length) => product * length, batch))
  if (input.type === 'uint8') return values
  return new Uint8Array(Float32Array.from(values, (value) => value / 127.5 - 1).buffer)
}

async function compiledPath(
  found: FoundModel,
  { weightsDir }: EngineRequest,
  progress: Progress,
): Promise<string> {
  const { modelPath } = await compiledModel({
    cacheDir: compiledDir(weightsDir),
    key: found.key,
    async compile(dataFile, write) {
      progress(0.5, 'compiling')
      // Compiling happens once; no later start loads what only it needs.
      const { compileGraph } = await import('./graph/compile.ts')
      const { layers, weights, close } = await found.open()
      try {
        const { preprocessing } = found
        return await compileGraph(layers, weights, { preprocessing, input: 'uint8', dataFile }, write)
      } finally {
        await close()
      }
    },
  })
  return modelPath
}

async function onTfjs(
  found: FoundModel,
  { threads }: EngineRequest,
  progress: Progress,
): Promise<OpenedEngine> {
  progress(0.5, 'loading the weights into TensorFlow.js')
  // Imported only where it is asked for: the package is not there by default.
  const { openTfjs } = await import('./engines/tfjs.ts')
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

/** Neither black nor even: a device that only gets zeros right would be found out too late. */
function patterned(length: number): Uint8Array {
  return new Uint8Array(length).map((_, i) => (i * 37 + (i >> 8)) & 255)
}

import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { PrepareContext, Progress } from '../broker/pipeline.ts'
import { imageClassifier } from './image-classifier.ts'
import { openParts, type PipelineOptions } from './make-pipeline.ts'
import { modelFiles } from './models/model-files.ts'
import { markPermanent } from './permanent-error.ts'
import type { Prediction } from './prediction.ts'
import { readPixels } from './read-input.ts'

/** What `makePipeline` of the service gets fits as it is. Everything but the name of the model has a default. */
export interface OpenModelOptions {
  readonly model: string
  /** the file or folder of a model of one's own */
  readonly path?: string
  /** as in a settings file beside the model; the labels may also be a list */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly weightsDir?: string
  /** a mirror to download weights from */
  readonly weightsUrl?: string
  /** how often a download is tried; without it, there is no limit */
  readonly attempts?: number
  readonly engine?: 'onnx' | 'tfjs'
  readonly device?: 'auto' | 'cpu' | 'webgpu' | 'cuda'
  readonly threads?: number
  /** whether waiting threads spin; they must not where several children share the cores */
  readonly spin?: boolean
  readonly maxBatch?: number
  /** whether a graph is used whose convolutions were measured to be faster by Winograd's way */
  readonly winograd?: 'auto' | 'off'
  /** whether the model is computed with floats or, once it has been quantized, with bytes */
  readonly precision?: 'fp32' | 'int8' | 'auto'
  readonly maxPixels?: number
  /** milliseconds after which the child is killed over one image */
  readonly prepareTimeout?: number
}

/** A model on its engine, as a part of a pipeline of one's own. */
export interface OpenModel {
  readonly kind: 'classes' | 'features'
  /** the names of the classes, in the order of the model's outputs; empty for features */
  readonly labels: readonly string[]
  readonly input: { readonly width: number; readonly height: number; readonly channels: number }
  /** the shape of the numbers for one image */
  readonly outputShape: readonly number[]
  /** what the built-in pipeline tells of itself, such as `version` and `device` */
  readonly info: { readonly version: string; readonly engine: string; readonly device: string }
  /** the files that decide what the model is, for `watch` of a pipeline */
  readonly watch: readonly string[]
  /** The pixels of an image as the model takes them. Undefined if a digit is wanted and the picture shows none. */
  read(bytes: Uint8Array, context?: PrepareContext): Promise<Uint8Array | undefined>
  /** The numbers of the model for each image, as they are. To be called again only when the last call has ended. */
  run(images: readonly (Uint8Array | undefined)[]): Promise<Float32Array[]>
  /** The best guesses for each image. To be called again only when the last call has ended. */
  guess(images: readonly (Uint8Array | undefined)[], top?: number): Promise<Prediction[][]>
  close(): Promise<void>
}

const DEFAULTS = {
  weightsDir: './weights',
  engine: 'onnx',
  device: 'auto',
  spin: true,
  maxBatch: 8,
  winograd: 'auto',
  precision: 'fp32',
  maxPixels: 50_000_000,
  prepareTimeout: 20_000,
} as const

/** Finds, downloads and compiles a model as the built-in pipeline does, and opens the model on its engine. */
export async function openModel(
  options: OpenModelOptions,
  progress: Progress = () => {},
): Promise<OpenModel> {
  const all: PipelineOptions = { ...DEFAULTS, threads: availableParallelism(), ...options }
  const weightsDir = resolve(all.weightsDir)
  try {
    return partsAsModel(await openParts({ ...all, weightsDir }, progress))
  } catch (error) {
    throw await markPermanent(error, () => modelFiles(all.model, all.path, weightsDir))
  }
}

function partsAsModel(parts: Awaited<ReturnType<typeof openParts>>): OpenModel {
  const { kind, engine, image, output, labels, top, files, about } = parts
  const { height, width, channels } = image
  const size = height * width * channels
  const classifier = imageClassifier({ engine, labels, image, output, top })
  return {
    kind,
    labels: labels.map(({ first }) => first),
    input: { width, height, channels },
    outputShape: engine.outputShape,
    info: about,
    watch: files.watch,
    read: (bytes, context) => readPixels(bytes, { ...image, started: context?.started }, channels),
    async run(images) {
      const pixels = new Uint8Array(images.length * size)
      for (const [row, image] of images.entries()) if (image) pixels.set(image, row * size)
      const numbers = await engine.run(pixels, images.length)
      const { outputSize, rowSize } = engine
      return images.map((_, row) => numbers.slice(row * rowSize, row * rowSize + outputSize))
    },
    guess: (images, wanted = top) =>
      classifier.predict(images.map((pixels) => ({ pixels, top: Math.min(wanted, labels.length) }))),
    close: () => engine.close(),
  }
}

import sharp from 'sharp'
import { makePipeline, type PipelineOptions } from '../../pipeline/make-pipeline.ts'
import { temporaryFolder } from './temporary-folder.ts'

const NOBODY_LISTENS = 'http://127.0.0.1:9'

/** The pipeline of a model, in this process; files without settings are in a new folder of weights. */
export function madePipeline(options: Partial<PipelineOptions>) {
  const all: PipelineOptions = {
    model: 'model',
    weightsDir: options.weightsDir ?? temporaryFolder(),
    weightsUrl: NOBODY_LISTENS,
    engine: 'onnx',
    device: 'cpu',
    threads: 1,
    spin: false,
    maxBatch: 4,
    winograd: 'auto',
    precision: 'fp32',
    maxPixels: 1_000_000,
    prepareTimeout: 60_000,
    ...options,
  }
  return makePipeline(all, { progress: () => undefined })
}

/** The same for a model that must answer with classes. */
export async function madeClassifier(options: Partial<PipelineOptions>) {
  const pipeline = await madePipeline(options)
  if (pipeline.kind === 'classes') return pipeline
  await pipeline.close()
  throw new Error('the model has no classes')
}

/** The same for a model that must answer with features. */
export async function madeExtractor(options: Partial<PipelineOptions>) {
  const pipeline = await madePipeline(options)
  if (pipeline.kind === 'features') return pipeline
  await pipeline.close()
  throw new Error('the model has classes')
}

/** A PNG of pixels with three channels. */
export function png(pixels: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()
}

/** The probabilities of a pipeline for one picture, in the order of the classes. */
export async function probabilities(
  pipeline: Awaited<ReturnType<typeof madeClassifier>>,
  picture: Uint8Array,
): Promise<number[]> {
  const [guesses = []] = await pipeline.predict([await pipeline.prepare({ image: picture, top: 1000 })])
  return guesses.toSorted((a, b) => a.index - b.index).map(({ probability }) => probability)
}

import { constants, setPriority } from 'node:os'
import type { MakePipeline, PipelineContext } from '../broker/pipeline.ts'
import { compilerOf } from './compile-found.ts'
import { compiledDir, type FoundModel, findAndFetch, type ModelRequest } from './found-model.ts'
import { compiledModel } from './graph/compiled-cache.ts'
import { PictureSample } from './quantize/picture-sample.ts'
import { type QuantizeRequest, quantize } from './quantize/quantize.ts'
import { quantizationSentence } from './quantize/quantized.ts'
import { keepRefusal, refusalFile } from './quantize/refusal.ts'
import { readTuned } from './tuning/tuning.ts'

export type CalibrateOptions = ModelRequest &
  Pick<QuantizeRequest, 'threads' | 'spin' | 'target'> & { readonly winograd: 'auto' | 'off' }

export type CalibrateAnswer =
  | { done: false; fraction: number; word: string }
  /** `sentence` is null if the model stays float. */
  | { done: true; sentence: string | null }

/** Bytes are a little less exact than floats: so little time is not worth it. */
const LEAST_GAIN = 1.1

/**
 * A pipeline that quantizes a model with pictures that `add` has brought, one step at each call. What it finds is kept: a
 * model of bytes, or why there is none. The pictures are not.
 */
export async function makePipeline(options: CalibrateOptions, { progress }: PipelineContext) {
  // Before ONNX Runtime starts threads, which inherit it.
  setPriority(constants.priority.PRIORITY_LOW)
  const found = await findAndFetch(options, progress)
  const sample = new PictureSample()
  let steps: ReturnType<typeof calibrate> | undefined
  return {
    methods: ['add', 'step'],
    info: {},
    /** Returns how many pictures there are. */
    add(pictures: readonly Uint8Array[]): number {
      for (const pixels of pictures) sample.add(pixels)
      return sample.size
    },
    async step(): Promise<CalibrateAnswer> {
      steps ??= calibrate(found, sample, options)
      const next = await steps.next()
      return next.done ? { done: true, sentence: next.value } : { done: false, ...next.value }
    },
  }
}

makePipeline satisfies MakePipeline

async function* calibrate(found: FoundModel, sample: PictureSample, options: CalibrateOptions) {
  const { weightsDir, target } = options
  const tunedGain = await gainOfTuning(found, options)
  const leastGain = LEAST_GAIN * tunedGain
  const request = { ...options, method: 'squares', dense: false, leastGain } as const
  const { report, folder } = yield* quantize(found, sample.pictures, request)
  if (folder !== undefined) return quantizationSentence(report)
  const { images, top1 } = report.agreement
  const gain = report.floatMs / report.ms / tunedGain
  await keepRefusal(refusalFile(weightsDir, found.key), { images, top1, target, gain, leastGain: LEAST_GAIN })
  return null
}

/** How much faster than the float model the quantizer measures is the one that serves. */
async function gainOfTuning(
  found: FoundModel,
  { weightsDir, threads, winograd }: CalibrateOptions,
): Promise<number> {
  const compile = compilerOf(found, () => undefined)
  const { modelPath } = await compiledModel({ cacheDir: compiledDir(weightsDir), key: found.key, compile })
  const tuned = await readTuned({ modelPath, threads, winograd })
  return tuned?.modelPath === undefined ? 1 : tuned.tuning.directMs / tuned.tuning.ms
}

import { compilerOf } from '../compile-found.ts'
import { compiledDir, type FoundModel } from '../found-model.ts'
import { compiledModel } from '../graph/compiled-cache.ts'
import { readTuned } from '../tuning/tuning.ts'
import type { Pictures } from './pictures.ts'
import { type QuantizeRequest, type QuantizeStep, quantize } from './quantize.ts'
import { quantizationSentence, quantizedFolder, readQuantized } from './quantized.ts'
import { keepRefusal, refusalFile } from './refusal.ts'

export type ByRequests = Pick<QuantizeRequest, 'weightsDir' | 'threads' | 'spin' | 'target'> & {
  readonly winograd: 'auto' | 'off'
}

/** A smaller gain is not worth what bytes lose in exactness. */
const LEAST_GAIN = 1.1

/**
 * Quantizes a model with pictures of requests, and keeps what comes of it: a model of bytes, or why there is none. Ends with a
 * sentence about the model, or null if it stays float.
 */
export async function* quantizeByRequests(
  found: FoundModel,
  pictures: Pictures,
  options: ByRequests,
): AsyncGenerator<QuantizeStep, string | null, void> {
  const { weightsDir, threads, spin, target } = options
  // The user has run the command meanwhile, perhaps with better pictures.
  const known = await readQuantized(quantizedFolder(weightsDir, found.key, 'int8'))
  if (known) return quantizationSentence(known.quantization)
  const tunedGain = await gainOfTuning(found, options)
  const leastGain = LEAST_GAIN * tunedGain
  const request = { weightsDir, threads, spin, target, method: 'squares', dense: false, leastGain } as const
  const { report, folder } = yield* quantize(found, pictures, request)
  if (folder !== undefined) return quantizationSentence(report)
  const { images, top1 } = report.agreement
  const gain = report.floatMs / report.ms / tunedGain
  await keepRefusal(refusalFile(weightsDir, found.key), {
    images,
    top1,
    target,
    gain,
    leastGain: LEAST_GAIN,
  })
  return null
}

/** How many times as fast as the float model that the quantizer measures is the one that serves. */
async function gainOfTuning(
  found: FoundModel,
  { weightsDir, threads, winograd }: ByRequests,
): Promise<number> {
  const compile = compilerOf(found, () => undefined)
  const { modelPath } = await compiledModel({ cacheDir: compiledDir(weightsDir), key: found.key, compile })
  const tuned = await readTuned({ modelPath, threads, winograd })
  return tuned?.modelPath === undefined ? 1 : tuned.tuning.directMs / tuned.tuning.ms
}

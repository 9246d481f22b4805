import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { PipelineContext } from '../broker/pipeline.ts'
import { makePipeline, type PipelineOptions } from './make-pipeline.ts'
import { builtIns } from './models/built-in.ts'
import { catalog } from './models/catalog.ts'

/* What `tandem-serve/pipeline` exports: parts for a pipeline of one's own. They belong into the child process. */

export type { MakePipeline, Pipeline, PipelineContext, PrepareContext } from '../broker/pipeline.ts'
export { PipelineError } from './errors.ts'
export { type ImageOptions, readImage } from './image/read-image.ts'

export interface ModelOptions extends Partial<Omit<PipelineOptions, 'model'>> {
  /** a name of the catalog, or any name with a path */
  readonly model: string
}

/** A model known by name, and where its weights come from. */
export interface KnownModel {
  readonly name: string
  /** empty for a model that comes with the package */
  readonly url: string
  /** missing where no size is published */
  readonly bytes?: number
}

const DEFAULTS = {
  weightsDir: './weights',
  engine: 'onnx',
  device: 'auto',
  winograd: 'auto',
  spin: true,
  maxBatch: 8,
  maxPixels: 50_000_000,
  prepareTimeout: 20_000,
  attempts: 3,
} as const

/**
 * A model with `prepare`, `predict`, `close`, `info` and `watch`, as the service itself makes it: weights are downloaded and
 * compiled, and the fastest device is chosen.
 */
export function openModel(options: ModelOptions, context: PipelineContext) {
  const all = { threads: availableParallelism(), ...DEFAULTS, ...options }
  return makePipeline({ ...all, weightsDir: resolve(all.weightsDir) }, context)
}

export function knownModels(): readonly KnownModel[] {
  return [
    ...[...builtIns.values()].map(({ name }) => ({ name, url: '' })),
    ...[...catalog.values()].map(({ name, url, bytes }) => ({
      name,
      url,
      ...(bytes !== undefined && { bytes }),
    })),
  ]
}

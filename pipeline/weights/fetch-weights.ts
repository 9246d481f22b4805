import type { MakePipeline, PipelineContext } from '../../broker/pipeline.ts'
import { PipelineError } from '../errors.ts'
import { builtIns } from '../models/built-in.ts'
import { catalog } from '../models/catalog.ts'
import type { CatalogEntry } from '../models/catalog-entry.ts'
import { nearestWord } from '../models/nearest-word.ts'
import { ensureWeights } from './ensure-weights.ts'

export interface FetchOptions {
  model: string
  weightsDir: string
  weightsUrl?: string
}

// The user waits at a terminal: an interruption is retried, but without a network the error comes soon.
const ATTEMPTS = 3

/** A pipeline without methods: making it downloads the weights of a model. */
export async function makePipeline(
  { model, weightsDir, weightsUrl }: FetchOptions,
  { progress }: PipelineContext,
) {
  const here = builtIns.get(model)
  if (here !== undefined) return { methods: [], info: { path: here } }
  const entry = catalogEntry(model)
  const path = await ensureWeights(entry, { weightsDir, weightsUrl, progress, attempts: ATTEMPTS })
  return { methods: [], info: { path, bytes: entry.bytes } }
}

makePipeline satisfies MakePipeline

export function catalogEntry(model: string): CatalogEntry {
  const entry = catalog.get(model)
  if (entry !== undefined) return entry
  const names = [...catalog.keys()]
  const near = nearestWord(model, names)
  const hint = near === undefined ? '' : ` Did you mean ${near}?`
  throw new PipelineError(
    'ERR_MODEL_LOAD',
    `The catalog has no model "${model}"; tandem models shows its ${names.length} models.${hint}`,
  )
}

import { basename, extname } from 'node:path'
import { type Model, modelList } from '../config/setting-kinds.ts'

/**
 * The model that --model selects: a name from MODELS, any other `name` or `name=path`, or the path of a model's file or
 * folder. Without --model, the first of MODELS. Undefined if the value is none of these.
 */
export function chosenModel(wanted: string | undefined, models: readonly Model[]): Model | undefined {
  if (wanted === undefined) return models[0]
  const known = models.find(({ name }) => name === wanted)
  if (known !== undefined) return known
  const [entry] = modelList().parse(wanted) ?? []
  // A value with a comma is a path, not a list: --model selects one model.
  if (entry !== undefined && !wanted.includes(',')) return entry
  return /[./\\]/.test(wanted) ? { name: nameOf(wanted), path: wanted } : undefined
}

/** A model name for the log, made from the file name. */
function nameOf(path: string): string {
  const name = basename(path, extname(path)).toLowerCase()
  return name.replace(/[^a-z0-9_-]+/g, '-').replace(/^[^a-z0-9]+/, '') || 'model'
}

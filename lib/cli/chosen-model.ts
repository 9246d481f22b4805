import { basename, extname } from 'node:path'
import { type Model, modelList } from '../config/setting-kinds.ts'

/**
 * The model that --model means: one of MODELS by its name, any other `name` or `name=path`, or the path of a model's
 * file or folder. Without it, the first of MODELS. Undefined when it can mean nothing.
 */
export function chosenModel(wanted: string | undefined, models: readonly Model[]): Model | undefined {
  if (wanted === undefined) return models[0]
  const known = models.find(({ name }) => name === wanted)
  if (known !== undefined) return known
  const [entry] = modelList().parse(wanted) ?? []
  // "a.keras" is no name; a path with a comma in it must not be taken for a list.
  if (entry !== undefined && !wanted.includes(',')) return entry
  return /[./\\]/.test(wanted) ? { name: nameOf(wanted), path: wanted } : undefined
}

/** A name for the log, made of that of the file. */
function nameOf(path: string): string {
  const name = basename(path, extname(path)).toLowerCase()
  return name.replace(/[^a-z0-9_-]+/g, '-').replace(/^[^a-z0-9]+/, '') || 'model'
}

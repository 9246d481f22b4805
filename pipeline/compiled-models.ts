import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { compiledDir, findReadBefore, type ModelRequest } from './found-model.ts'
import { compiledName } from './graph/compiler-version.ts'
import { isWhole } from './graph/whole-folder.ts'
import { type Quantization, quantizedFolder, readQuantized } from './quantize/quantized.ts'

/** A model as it was compiled: one for each precision. */
export interface CompiledForm {
  readonly precision: 'fp32' | Quantization['precision']
  /** with the graphs that were saved and tuned for a CPU */
  readonly bytes: number
  /** whether a CPU's fastest graph has been measured */
  readonly tuned: boolean
}

export interface CompiledModels {
  readonly folder: string
  readonly models: number
  readonly bytes: number
}

const TUNED = /^onnxruntime-.+-tuned-\d+$/

/** What is compiled of the model at `path`. Empty for a model of which no child has read the file yet. */
export async function compiledForms(request: ModelRequest, path: string): Promise<readonly CompiledForm[]> {
  const { weightsDir } = request
  // A file that cannot be read is told of when the model is loaded.
  const found = await findReadBefore(request, path).catch(() => undefined)
  if (found === undefined || found.isOnnx) return []
  const folder = join(compiledDir(weightsDir), compiledName(found.key))
  if (!(await isWhole(folder))) return []
  const tuned = (await readdir(folder)).some((name) => TUNED.test(name))
  const forms: CompiledForm[] = [{ precision: 'fp32', bytes: await bytesIn(folder), tuned }]
  for (const precision of ['int8', 'dense'] as const) {
    const its = quantizedFolder(weightsDir, found.key, precision)
    if (await readQuantized(its)) forms.push({ precision, bytes: await bytesIn(its), tuned: false })
  }
  return forms
}

/** All compiled models, also those of other settings and of files that are gone. */
export async function compiledModels(weightsDir: string): Promise<CompiledModels> {
  const folder = compiledDir(weightsDir)
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const models = entries.filter((entry) => entry.isDirectory() && !entry.name.endsWith('.part'))
  const sizes = await Promise.all(models.map(({ name }) => bytesIn(join(folder, name))))
  return { folder, models: models.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

/** The size of a file, or of all files in a folder. A file that is removed meanwhile has none. */
export async function bytesIn(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => undefined)
  const files = entries
    ?.filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  const sizes = (files ?? [path]).map((file) =>
    stat(file).then(
      ({ size }) => size,
      () => 0,
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

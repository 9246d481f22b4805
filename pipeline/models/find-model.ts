import { open, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { PipelineError } from '../errors.ts'
import { nearestWord } from './nearest-word.ts'

/** The source of a model: the catalog, the package, or the user's own file or folder. */
export type ModelChoice =
  | { readonly kind: 'catalog'; readonly name: string }
  | { readonly kind: 'built-in'; readonly path: string }
  | { readonly kind: 'own'; readonly path: string }

const EXTENSIONS = ['keras', 'h5', 'hdf5', 'onnx', 'zip', 'json'] as const
export const TFJS_FILE = 'model.json'
/** The Keras model in an unpacked folder of Teachable Machine. */
export const KERAS_FILE = 'keras_model.h5'
const SAVED_MODEL_FILE = 'saved_model.pb'
/** A folder with one of these files is a model. */
const FOLDER_FILES = [TFJS_FILE, KERAS_FILE] as const
// A name becomes part of a path, so it must not lead out of the folder.
const NAME = /^[a-z0-9][a-z0-9_-]{0,99}$/i
// At least one of these keys is near the beginning: each comes before its own long list of layers or weights.
const TFJS_KEYS = /"(modelTopology|weightsManifest)"\s*:/
const TFJS_HEAD_BYTES = 64 * 1024

/** The model that `MODELS=name` or `MODELS=name=path` stands for. */
export async function findModel(
  name: string,
  path: string | undefined,
  weightsDir: string,
  catalog: readonly string[],
  /** The paths of the models in the package, by name. */
  builtIn: ReadonlyMap<string, string> = new Map(),
): Promise<ModelChoice> {
  if (path !== undefined) return { kind: 'own', path: await givenPath(name, resolve(path)) }
  if (!NAME.test(name)) {
    throw settingsError(
      `"${name.slice(0, 100)}" is not a model name: a name has letters, digits, "-" and "_".`,
    )
  }
  const ours = builtIn.get(name)
  // In a checkout, `weightsDir` is the package's own folder, and the packaged model is not the user's.
  const own = (await candidates(name, weightsDir)).filter((path) => resolve(path) !== ours)
  const inCatalog = catalog.includes(name)
  const [only] = own
  if (only === undefined && inCatalog) return { kind: 'catalog', name }
  if (only === undefined && ours !== undefined) return { kind: 'built-in', path: ours }
  if (only === undefined && (await isFile(join(weightsDir, name, SAVED_MODEL_FILE))))
    throw savedModel(name, join(weightsDir, name))
  if (only === undefined) throw absent(name, weightsDir, [...catalog, ...builtIn.keys()])
  if (own.length === 1 && !inCatalog) return { kind: 'own', path: only }
  const choices = [...(inCatalog ? ['the model of the catalog'] : []), ...own].join(' or ')
  const way = inCatalog ? ' for the file, or move the file away for the model of the catalog' : ''
  throw settingsError(`"${name}" may be ${choices}; say which: MODELS=${name}=path${way}.`)
}

async function givenPath(name: string, path: string): Promise<string> {
  const its = await stat(path).catch(() => undefined)
  if (its?.isFile()) return basename(path) === TFJS_FILE ? dirname(path) : path
  for (const file of FOLDER_FILES) if (await isFile(join(path, file))) return path
  if (await isFile(join(path, SAVED_MODEL_FILE))) throw savedModel(name, path)
  const what =
    its === undefined ? 'there is nothing' : `there is no ${FOLDER_FILES.join(' or ')} in the folder`
  throw new PipelineError('ERR_MODEL_LOAD', `The model "${name}" cannot be loaded: ${what} at ${path}.`)
}

function savedModel(name: string, path: string): PipelineError {
  return new PipelineError(
    'ERR_MODEL_UNSUPPORTED',
    `${path} is a SavedModel of TensorFlow, which is not read. Convert it and serve the result: ` +
      `python -m tf2onnx.convert --saved-model ${path} --output ${name}.onnx (from the package tf2onnx).`,
  )
}

/** All paths in the folder of weights that a model of this name may have. */
export function possiblePaths(name: string, weightsDir: string): string[] {
  return [
    ...EXTENSIONS.map((extension) => join(weightsDir, `${name}.${extension}`)),
    ...FOLDER_FILES.map((file) => join(weightsDir, name, file)),
  ]
}

async function candidates(name: string, weightsDir: string): Promise<string[]> {
  const folder = join(weightsDir, name)
  const found = new Set<string>()
  for (const file of possiblePaths(name, weightsDir)) {
    if (!(await isFile(file))) continue
    if (dirname(file) === folder) found.add(folder)
    // A pets.json is the settings of pets.keras, unless the file is a TF.js model.
    else if (extname(file) !== '.json' || (await isTfjsModel(file))) found.add(file)
  }
  return [...found]
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false
}

async function isTfjsModel(file: string): Promise<boolean> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(TFJS_HEAD_BYTES) })
    return TFJS_KEYS.test(buffer.toString('utf8', 0, bytesRead))
  } finally {
    await handle.close()
  }
}

function absent(name: string, weightsDir: string, catalog: readonly string[]): PipelineError {
  const files = possiblePaths(name, weightsDir).map((path) => relative(weightsDir, path))
  const near = nearestWord(name, catalog)
  const hint = near === undefined ? '' : ` Did you mean ${near}?`
  const message =
    `There is no model "${name}": it is not in the catalog (tandem models shows all names), and the folder ` +
    `${weightsDir} has none of ${files.join(', ')}.${hint}`
  return new PipelineError('ERR_MODEL_LOAD', message)
}

function settingsError(message: string): PipelineError {
  return new PipelineError('ERR_MODEL_SETTINGS', message)
}

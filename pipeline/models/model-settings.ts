import { open } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { PipelineError } from '../errors.ts'
import { IMAGENET_LABELS, type Label, labelList, readLabels } from './labels.ts'
import { nearestWord } from './nearest-word.ts'

/** The settings of a model, in `<name>.json` beside the model, or in the model's folder. All are optional. */
export interface ModelSettings {
  readonly labels?: readonly Label[]
  /** The file of the labels, for messages. */
  readonly labelsFile?: string
  readonly preprocessing?: (typeof PREPROCESSING)[number]
  /** Height and width of the network's input. */
  readonly size?: readonly [height: number, width: number]
  readonly interpolation?: (typeof INTERPOLATIONS)[number]
  /** Whether to keep the aspect ratio and cut out the middle, instead of stretching; `canvas`: as Teachable Machine does. */
  readonly crop?: boolean | 'canvas'
  /** Whether a photograph is turned as its EXIF orientation says. */
  readonly exif?: boolean
  /** Whether an embedded colour profile is applied. */
  readonly colourProfile?: boolean
  /** The orientation of the kernels in an old Theano file, which does not record it. */
  readonly kernels?: Kernels
  /** The network's input: the whole picture, or the one digit on it, cut out and centred as in MNIST. */
  readonly subject?: (typeof SUBJECTS)[number]
  /** The number of guesses in an answer. */
  readonly top?: number
  /** The function that turns the model's numbers into probabilities; `auto`: the one that the model lacks. */
  readonly output?: (typeof OUTPUTS)[number]
  /** What the numbers are: one for each class, or the features of an image. */
  readonly kind?: (typeof KINDS)[number]
  /** Whether the model is computed with floats or with bytes; without it, as the service is set. */
  readonly precision?: (typeof PRECISIONS)[number]
  /** Whether dense layers are computed with bytes while the other layers are not. */
  readonly dense?: (typeof DENSE)[number]
  /** Which of a model's outputs is served: the name of its layer, or its place, counted from 0. */
  readonly head?: string | number
}

const PREPROCESSING = ['caffe', 'tf', 'torch', 'unit', 'none', 'teachable-machine'] as const
const OUTPUTS = ['auto', 'softmax', 'sigmoid', 'none'] as const
const KINDS = ['classes', 'features'] as const
const INTERPOLATIONS = ['nearest', 'bilinear', 'bicubic'] as const
const PRECISIONS = ['fp32', 'int8', 'auto'] as const
const DENSE = ['fp32', 'int8'] as const
const SUBJECTS = ['picture', 'digit'] as const
const KERNELS = ['correlation', 'rotated'] as const
/** The orientation of convolution kernels in a file: as multiplied, or rotated by 180° for Theano's convolution. */
export type Kernels = (typeof KERNELS)[number]

// Enough for ten short settings; a larger file is something else, such as a TF.js model.
const MAX_BYTES = 64 * 1024
// With a longer side, a single image takes a gigabyte in the first layers.
const MAX_SIDE = 4096
const MAX_TOP = 1000

/** `where` is the subject of the sentence about a wrong value: which settings have the value. */
type Read<Value> = (value: unknown, key: string, where: string) => Value

const READERS: { readonly [Key in keyof Omit<ModelSettings, 'labelsFile'>]-?: Read<unknown> } = {
  labels: readLabelsName,
  preprocessing: oneOf(PREPROCESSING),
  size: readSize,
  interpolation: oneOf(INTERPOLATIONS),
  crop: readBoolean,
  exif: readBoolean,
  colourProfile: readBoolean,
  kernels: oneOf(KERNELS),
  subject: oneOf(SUBJECTS),
  top: (value, key, where) => wholeNumber(value, MAX_TOP, key, where),
  output: oneOf(OUTPUTS),
  kind: oneOf(KINDS),
  precision: oneOf(PRECISIONS),
  dense: oneOf(DENSE),
  head: readHead,
}

function readHead(value: unknown, key: string, where: string): string | number {
  if (typeof value === 'string' && value !== '') return value
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  throw wrong(where, `has ${key} ${shown(value)}, which is neither the name nor the place of an output`)
}

/** The settings of a model; an empty object when there is no settings file. */
export async function readModelSettings(modelPath: string): Promise<ModelSettings> {
  const settings: ModelSettings[] = []
  for (const file of settingsPaths(modelPath)) settings.push(await settingsIn(file))
  return Object.assign({}, ...settings)
}

async function settingsIn(file: string): Promise<ModelSettings> {
  const text = await readText(file)
  if (text === undefined) return {}
  const where = subject(file)
  const settings = checked(parseJson(text, where), where)
  return withLabels(settings, (name) => labelsPath(name, file))
}

/**
 * Settings that a program gives along with the model. The labels may be a list, or a file anywhere: a program, unlike a
 * downloaded settings file, is trusted.
 */
export async function givenSettings(given: unknown, model: string): Promise<ModelSettings> {
  const where = `The option of the model "${model}"`
  if (typeof given !== 'object' || given === null) return {}
  const { labels, ...others } = given as { labels?: unknown }
  if (!Array.isArray(labels)) return withLabels(checked(given, where), (name) => resolve(name))
  const labelsFile = 'the option "labels"'
  return { ...checked(others, where), labels: labelList(labels), labelsFile }
}

async function withLabels(
  { labels, ...settings }: Record<string, unknown>,
  pathOf: (name: string) => string,
): Promise<ModelSettings> {
  if (labels === undefined) return settings as ModelSettings
  const labelsFile = labels === 'imagenet' ? IMAGENET_LABELS : pathOf(labels as string)
  const list = await readLabels(labelsFile)
  return { ...settings, labels: list, labelsFile: basename(String(labelsFile)) }
}

/** The files that a model's settings come from, readable or not: the model changes when one of them does. */
export async function settingsFiles(modelPath: string): Promise<string[]> {
  const files = await Promise.all(settingsPaths(modelPath).map(withLabelsFile))
  return files.flat()
}

async function withLabelsFile(file: string): Promise<string[]> {
  try {
    const { labels } = JSON.parse((await readText(file)) ?? '{}') as { labels?: unknown }
    const isFile = typeof labels === 'string' && labels !== 'imagenet'
    return isFile ? [file, labelsPath(labels, file)] : [file]
  } catch {
    return [file]
  }
}

/** In the folder of a model, so that the settings go where the folder goes. */
const INSIDE = 'settings.json'

/**
 * `settings.json` in the folder `pets`, and `pets.json` beside the folder or beside `pets.keras`, which has precedence. A
 * model in a file `pets.json` has no settings.
 */
export function settingsPaths(modelPath: string): string[] {
  const path = resolve(modelPath)
  if (basename(path) === 'model.json') return settingsPaths(dirname(path))
  const extension = extname(path)
  if (extension === '.json') return []
  const isFile = MODEL_EXTENSION.test(extension)
  const beside = join(dirname(path), `${basename(path, isFile ? extension : '')}.json`)
  return isFile ? [beside] : [join(path, INSIDE), beside]
}

// Other endings belong to the name: the settings of the folder `pets.v2` are in `pets.v2.json`.
const MODEL_EXTENSION = /^\.(keras|h5|hdf5|onnx|zip)$/

function parseJson(text: string, where: string): object {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw wrong(where, 'is no valid JSON', cause)
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json
  throw wrong(where, 'is no JSON object')
}

/** The settings with checked values; `labels` is still the name of a file. */
function checked(settings: object, where: string): Record<string, unknown> {
  const known = Object.keys(READERS)
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => {
      if (!Object.hasOwn(READERS, key)) throw wrong(where, unknownKey(key, known))
      return [key, READERS[key as keyof typeof READERS](value, key, where)]
    }),
  )
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearestWord(key, known)
  const hint = near === undefined ? `known are ${known.join(', ')}` : `the nearest known one is "${near}"`
  return `has an unknown setting ${shown(key)}; ${hint}`
}

async function readText(file: string): Promise<string | undefined> {
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined
    throw wrong(subject(file), `cannot be read (${cause.code})`, cause)
  })
  if (handle === undefined) return undefined
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw wrong(subject(file), 'is no file')
    if (stats.size > MAX_BYTES)
      throw wrong(subject(file), `has ${stats.size} bytes, the limit is ${MAX_BYTES}`)
    return (await handle.readFile('utf8')).replace(/^\uFEFF/, '')
  } finally {
    await handle.close()
  }
}

/**
 * The labels must lie in the folder of the settings, or below. Settings that come with a downloaded model are
 * untrusted: they could name any other file, whose lines every client would see as labels.
 */
function labelsPath(name: string, file: string): string {
  const folder = dirname(file)
  const path = resolve(folder, name)
  const within = relative(folder, path)
  if (within === '..' || within.startsWith(`..${sep}`) || isAbsolute(within)) {
    throw wrong(subject(file), `names the labels ${shown(name)}, which lie outside of its folder`)
  }
  return path
}

function readLabelsName(value: unknown, key: string, where: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw expected(where, key, 'the name of a file beside it, or "imagenet"', value)
}

function readSize(value: unknown, key: string, where: string): readonly [number, number] {
  if (Array.isArray(value) && value.length === 2) {
    const [height, width]: unknown[] = value
    if (isWhole(height, MAX_SIDE) && isWhole(width, MAX_SIDE)) return [height, width]
  }
  throw expected(where, key, `[height, width], each a whole number from 1 to ${MAX_SIDE}`, value)
}

function readBoolean(value: unknown, key: string, where: string): boolean {
  if (typeof value === 'boolean') return value
  throw expected(where, key, 'true or false', value)
}

function wholeNumber(value: unknown, most: number, key: string, where: string): number {
  if (isWhole(value, most)) return value
  throw expected(where, key, `a whole number from 1 to ${most}`, value)
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
}

function oneOf<const Word extends string>(words: readonly Word[]): Read<Word> {
  return (value, key, where) => {
    const word = words.find((candidate) => candidate === value)
    if (word !== undefined) return word
    throw expected(where, key, `one of ${words.join(', ')}`, value)
  }
}

function expected(where: string, key: string, what: string, value: unknown): PipelineError {
  return wrong(where, `has the wrong ${key}: it must be ${what}, but is ${shown(value)}`)
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

const subject = (file: string): string => `The settings file ${basename(file)}`

function wrong(where: string, what: string, cause?: unknown): PipelineError {
  return new PipelineError('ERR_MODEL_SETTINGS', `${where} ${what}.`, { cause })
}

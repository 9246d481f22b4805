import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Progress } from '../broker/pipeline.ts'
import { PipelineError } from './errors.ts'
import { USUAL_SIZE } from './facts/image-input.ts'
import type { Preprocessing } from './graph/preprocessing.ts'
import type { WeightStore } from './graph/weight-store.ts'
import { builtIns } from './models/built-in.ts'
import { catalog, topologyFor } from './models/catalog.ts'
import type { CatalogEntry } from './models/catalog-entry.ts'
import { findModel } from './models/find-model.ts'
import { IMAGENET_LABELS, readLabels } from './models/labels.ts'
import { givenSettings, type ModelSettings, readModelSettings } from './models/model-settings.ts'
import { ANY_SIZE, type LayerList } from './models/networks/layer-list.ts'
import { notedSettings } from './weights/noted-settings.ts'
import { contentHash, isHashKnown } from './weights/source/content-hash.ts'
import { isOnnxModel } from './weights/source/locate-model.ts'

export interface ModelRequest {
  model: string
  path?: string
  /** What a settings file beside the model may have too. These settings take precedence over those of the file. */
  settings?: Readonly<Record<string, unknown>>
  weightsDir: string
  weightsUrl?: string
  /** The number of attempts to download; without it, there is no limit. */
  attempts?: number
}

/** A model whose file is there, and everything that is known about the model before its weights are read. */
export interface FoundModel {
  path: string
  settings: ModelSettings
  /** The labels come from the model's own files, not from the user: where their number is wrong, they are left out. */
  areLabelsNoted: boolean
  /** The size of the images, if the model takes any size. */
  size: readonly [height: number, width: number]
  preprocessing: Preprocessing
  /** The cache key of the compiled graph: changes with everything that the graph depends on. */
  key: string
  /** ONNX files run unchanged; all other formats are opened and compiled. */
  isOnnx: boolean
  open(): Promise<OpenedLayers>
}

export interface OpenedLayers {
  layers: LayerList
  /** The model takes images of any size; the layers are for `size`. */
  anySize: boolean
  weights: WeightStore
  close(): Promise<void>
}

export async function findAndFetch(request: ModelRequest, progress: Progress): Promise<FoundModel> {
  const { model, weightsDir, weightsUrl, attempts } = request
  const source = await findModel(model, request.path, weightsDir, [...catalog.keys()], builtIns)
  const entry = catalog.get(model)
  if (source.kind === 'own') return ownModel(source.path, entry, request)
  if (source.kind === 'built-in') return builtInModel(source.path, request)
  if (!entry) throw new PipelineError('ERR_MODEL_LOAD', `There is no model "${model}" in the catalog.`)
  // Imported here, since a file of the user is there already, and needs no code that downloads.
  const { ensureWeights } = await import('./weights/ensure-weights.ts')
  return catalogModel(
    await ensureWeights(entry, { weightsDir, weightsUrl, attempts, progress }),
    entry,
    request,
  )
}

/** A model whose files a child has read before: this reads settings alone, and downloads nothing. Undefined for other models. */
export async function findReadBefore(request: ModelRequest, path: string): Promise<FoundModel | undefined> {
  const { model, weightsDir } = request
  if (!(await isHashKnown(path, compiledDir(weightsDir)))) return undefined
  if (builtIns.get(model) === path) return builtInModel(path, request)
  const entry = catalog.get(model)
  if (entry && path === join(weightsDir, entry.file)) return catalogModel(path, entry, request)
  return ownModel(path, entry, request)
}

export const compiledDir = (weightsDir: string): string => join(weightsDir, 'compiled')

async function catalogModel(path: string, entry: CatalogEntry, request: ModelRequest): Promise<FoundModel> {
  const { model, weightsDir } = request
  const own = await ownSettings(join(weightsDir, model), request)
  return describeModel(path, { ...(await catalogSettings(entry)), ...own }, entry, weightsDir)
}

/** The user's settings for a built-in model are in the user's folder of weights, not in the package. */
async function builtInModel(path: string, request: ModelRequest): Promise<FoundModel> {
  const { model, weightsDir } = request
  const own = await ownSettings(join(weightsDir, model), request)
  return describeModel(path, { ...(await readModelSettings(path)), ...own }, undefined, weightsDir)
}

/** A file of the user's. A catalog name stands for its layers and settings, so the file may then hold only weights. */
async function ownModel(
  path: string,
  entry: CatalogEntry | undefined,
  request: ModelRequest,
): Promise<FoundModel> {
  const { weightsDir } = request
  const own = await ownSettings(path, request)
  if (entry) return describeModel(path, { ...(await catalogSettings(entry)), ...own }, entry, weightsDir)
  const { size, ...noted } = await notedSettings(path)
  const found = await describeModel(path, { ...noted, ...own }, entry, weightsDir, size)
  return { ...found, areLabelsNoted: noted.labels !== undefined && own.labels === undefined }
}

async function ownSettings(path: string, { model, settings }: ModelRequest): Promise<ModelSettings> {
  return { ...(await readModelSettings(path)), ...(await givenSettings(settings, model)) }
}

async function catalogSettings(entry: CatalogEntry): Promise<ModelSettings> {
  return {
    labels: await readLabels(IMAGENET_LABELS),
    labelsFile: 'imagenet-labels.tsv',
    preprocessing: entry.preprocessing,
    interpolation: entry.interpolation,
  }
}

async function describeModel(
  path: string,
  settings: ModelSettings,
  entry: CatalogEntry | undefined,
  weightsDir: string,
  notedSize?: ModelSettings['size'],
): Promise<FoundModel> {
  const preprocessing = settings.preprocessing ?? 'none'
  const size = settings.size ?? notedSize ?? USUAL_SIZE
  const content = await contentHash(path, compiledDir(weightsDir))
  const parts = JSON.stringify([
    content,
    entry?.name ?? null,
    preprocessing,
    settings.kernels ?? null,
    size,
    settings.head ?? null,
  ])
  return {
    path,
    settings,
    areLabelsNoted: false,
    size,
    preprocessing,
    key: createHash('sha256').update(parts).digest('hex'),
    isOnnx: isOnnxModel(path),
    open: () => openWithLayers(path, entry, settings, size),
  }
}

async function openWithLayers(
  path: string,
  entry: CatalogEntry | undefined,
  { kernels, head }: ModelSettings,
  size: FoundModel['size'],
) {
  // Imported here, since most starts find a compiled model and need no library that reads the formats.
  const { openModel, peekModel } = await import('./weights/open-model.ts')
  const { groupNames = [], layers: inside } = await peekModel(path)
  const layers = inside ?? (entry && topologyFor(entry, groupNames))
  if (!layers) {
    throw new PipelineError(
      'ERR_MODEL_LOAD',
      `${path} holds only weights. Save the whole model (model.save(...)), or name the model of the catalog that the ` +
        `weights are for, such as MODELS=resnet50=${path} (tandem models shows all names).`,
    )
  }
  const opened = await openModel(path, {
    layers,
    size,
    ...(kernels && { kernels }),
    ...(head !== undefined && { head }),
  })
  if (!opened.weights) throw new PipelineError('ERR_MODEL_LOAD', `${path} holds no weights.`)
  return {
    layers: opened.layers ?? layers,
    anySize: layers.inputShape.includes(ANY_SIZE),
    weights: opened.weights,
    close: () => opened.close(),
  }
}

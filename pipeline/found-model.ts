import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Progress } from '../broker/pipeline.ts'
import { PipelineError } from './errors.ts'
import type { Preprocessing } from './graph/preprocessing.ts'
import type { WeightStore } from './graph/weight-store.ts'
import { type BuiltIn, builtIns } from './models/built-in.ts'
import { type CatalogEntry, catalog, topologyFor } from './models/catalog.ts'
import { findModel } from './models/find-model.ts'
import { IMAGENET_LABELS, readLabels } from './models/labels.ts'
import { type ModelSettings, readModelSettings } from './models/model-settings.ts'
import type { LayerList } from './models/networks/layer-list.ts'
import { ensureWeights } from './weights/ensure-weights.ts'
import { contentHash } from './weights/source/content-hash.ts'
import { isOnnxModel } from './weights/source/locate-model.ts'

export interface ModelRequest {
  model: string
  path?: string
  weightsDir: string
  weightsUrl?: string
  /** The number of attempts to download; without it, there is no limit. */
  attempts?: number
}

/** A model whose file is there, and everything that is known about the model before its weights are read. */
export interface FoundModel {
  path: string
  settings: ModelSettings
  preprocessing: Preprocessing
  /** The cache key of the compiled graph: changes with everything that the graph depends on. */
  key: string
  /** ONNX files run unchanged; all other formats are opened and compiled. */
  isOnnx: boolean
  open(): Promise<{ layers: LayerList; weights: WeightStore; close(): Promise<void> }>
}

export async function findAndFetch(request: ModelRequest, progress: Progress): Promise<FoundModel> {
  const { model, weightsDir, weightsUrl, attempts } = request
  const packaged = new Map([...builtIns].map(([name, { path }]) => [name, path]))
  const source = await findModel(model, request.path, weightsDir, [...catalog.keys()], packaged)
  const entry = catalog.get(model)
  if (source.kind === 'own') return ownModel(source.path, entry, weightsDir)
  const builtIn = source.kind === 'built-in' ? builtIns.get(model) : undefined
  if (builtIn) return builtInModel(builtIn, weightsDir)
  if (!entry) throw new PipelineError('ERR_MODEL_LOAD', `There is no model "${model}" in the catalog.`)
  const path = await ensureWeights(entry, { weightsDir, weightsUrl, attempts, progress })
  const own = await readModelSettings(join(weightsDir, model))
  return describeModel(path, { ...(await catalogSettings(entry)), ...own }, entry, weightsDir)
}

export const compiledDir = (weightsDir: string): string => join(weightsDir, 'compiled')

/** The user's settings for a built-in model are in the user's folder of weights, not in the package. */
async function builtInModel({ name, path, settings }: BuiltIn, weightsDir: string): Promise<FoundModel> {
  const own = await readModelSettings(join(weightsDir, name))
  return describeModel(path, { ...settings, ...own }, undefined, weightsDir)
}

/** A file of the user's. A catalog name stands for its layers and settings, so the file may then hold only weights. */
async function ownModel(
  path: string,
  entry: CatalogEntry | undefined,
  weightsDir: string,
): Promise<FoundModel> {
  const own = await readModelSettings(path)
  const settings = entry ? { ...(await catalogSettings(entry)), ...own } : own
  return describeModel(path, settings, entry, weightsDir)
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
): Promise<FoundModel> {
  const preprocessing = settings.preprocessing ?? 'none'
  const content = await contentHash(path, compiledDir(weightsDir))
  const parts = JSON.stringify([
    content,
    entry?.name ?? null,
    preprocessing,
    settings.kernels ?? null,
    settings.size ?? null,
    settings.head ?? null,
  ])
  return {
    path,
    settings,
    preprocessing,
    key: createHash('sha256').update(parts).digest('hex'),
    isOnnx: isOnnxModel(path),
    open: () => openWithLayers(path, entry, settings),
  }
}

async function openWithLayers(
  path: string,
  entry: CatalogEntry | undefined,
  { kernels, size, head }: ModelSettings,
) {
  // Imported here, since most starts find a compiled model and need no library that reads the formats.
  const { openModel, peekModel } = await import('./weights/open-model.ts')
  const { groupNames = [], layers: inside } = await peekModel(path)
  const layers = inside ?? (entry && topologyFor(entry, groupNames))
  if (!layers) {
    throw new PipelineError(
      'ERR_MODEL_LOAD',
      `${path} holds only weights. Save the whole model (model.save(...)), or name the model of the catalog that the ` +
        `weights are for: ${[...catalog.keys()].map((name) => `MODELS=${name}=${path}`).join(' or ')}.`,
    )
  }
  const opened = await openModel(path, {
    layers,
    ...(kernels && { kernels }),
    ...(size && { size }),
    ...(head !== undefined && { head }),
  })
  if (!opened.weights) throw new PipelineError('ERR_MODEL_LOAD', `${path} holds no weights.`)
  return { layers: opened.layers ?? layers, weights: opened.weights, close: () => opened.close() }
}

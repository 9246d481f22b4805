import { createHash } from 'node:crypto'
import type { MakePipeline, PipelineContext, Progress } from '../broker/pipeline.ts'
import type { Engine } from './engines/engine.ts'
import { PipelineError } from './errors.ts'
import { type FoundModel, findAndFetch, type ModelRequest } from './found-model.ts'
import { imageClassifier } from './image-classifier.ts'
import type { Label } from './models/labels.ts'
import { modelFiles } from './models/model-files.ts'
import type { ModelSettings } from './models/model-settings.ts'
import { type EngineRequest, openEngine } from './open-engine.ts'
import { markPermanent } from './permanent-error.ts'

export interface PipelineOptions extends ModelRequest, EngineRequest {
  maxPixels: number
  /** Milliseconds after which the child is killed over one image. */
  prepareTimeout: number
}

const DEFAULT_TOP = 5
// Part of the version. To be raised when a change of the code turns the same image into other numbers.
const READING = 1
// In hexadecimal digits: 64 bits, short enough to compare by eye.
const VERSION_LENGTH = 16

/** The entry for a Broker: makes the pipeline that serves the named model. */
export async function makePipeline(options: PipelineOptions, { progress }: PipelineContext) {
  const { model, path, weightsDir } = options
  try {
    return await pipelineFor(options, progress)
  } catch (error) {
    throw await markPermanent(error, () => modelFiles(model, path, weightsDir))
  }
}

makePipeline satisfies MakePipeline

async function pipelineFor(options: PipelineOptions, progress: Progress) {
  const found = await findAndFetch(options, progress)
  const { engine, reason, warnings } = await openEngine(found, options, progress)
  const labels = labelsFor(engine, found)
  const { settings } = found
  const image = imageOptions(engine, settings, options)
  const { name, device } = engine
  const top = settings.top ?? Math.min(DEFAULT_TOP, labels.length)
  return {
    ...imageClassifier({
      engine,
      labels,
      image,
      top,
    }),
    watch: await modelFiles(options.model, options.path, options.weightsDir),
    info: {
      model: options.model,
      version: versionOf(READING, found.key, image, labels, name, device),
      engine: name,
      device,
      reason,
      warnings,
      subject: image.subject,
      input: { width: image.width, height: image.height },
      labels: labels.length,
      top,
      labelNames: labels.map(({ first }) => first),
    },
  }
}

/** A digest of everything that the answer depends on besides the bytes of the image. */
function versionOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, VERSION_LENGTH)
}

function imageOptions(
  engine: Engine,
  settings: ModelSettings,
  { maxPixels, prepareTimeout }: PipelineOptions,
) {
  const [height = 0, width = 0, channels = 0] = settings.size ?? engine.inputShape
  const wanted = engine.inputShape.join(' × ')
  if (engine.inputShape.length !== 3 || (channels !== 1 && channels !== 3)) {
    throw new PipelineError(
      'ERR_MODEL_UNSUPPORTED',
      `The model needs an input of ${wanted}, which is not an image.`,
    )
  }
  return {
    height,
    width,
    subject: settings.subject ?? 'picture',
    interpolation: settings.interpolation ?? 'nearest',
    crop: settings.crop ? 'center' : 'stretch',
    orientation: settings.exif ?? true,
    colourProfile: settings.colourProfile ?? false,
    maxPixels,
    // Earlier than the kill, which the images beside it would feel.
    maxSeconds: Math.max(1, Math.floor((prepareTimeout / 1000) * 0.75)),
  } as const
}

/** The numbers of outputs and labels must be equal: otherwise the model would answer with wrong names. */
function labelsFor(engine: Engine, { path, settings }: FoundModel): readonly Label[] {
  const { labels, labelsFile } = settings
  if (!labels) return Array.from({ length: engine.outputSize }, (_, index) => numbered(index))
  if (labels.length === engine.outputSize) return labels
  throw new PipelineError(
    'ERR_MODEL_SETTINGS',
    `${path} has ${engine.outputSize} outputs, but ${labelsFile} has ${labels.length} labels.`,
  )
}

function numbered(index: number): Label {
  const name = `class_${index}`
  return { name, first: name, full: name }
}

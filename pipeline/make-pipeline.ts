import { createHash } from 'node:crypto'
import type { MakePipeline, PipelineContext, PrepareContext, Progress } from '../broker/pipeline.ts'
import { PipelineError } from './errors.ts'
import { type ImageInput, imageInput } from './facts/image-input.ts'
import { classCount, type OutputFacts, outputFacts, outputWarnings } from './facts/output-facts.ts'
import { probeOutput } from './facts/probe-output.ts'
import { type FoundModel, findAndFetch, type ModelRequest } from './found-model.ts'
import { classifierOfSeveral, imageClassifier } from './image-classifier.ts'
import { imageFeatures } from './image-features.ts'
import { DIGITS } from './models/built-in.ts'
import { type Label, plainLabel } from './models/labels.ts'
import { modelFiles } from './models/model-files.ts'
import type { ModelSettings } from './models/model-settings.ts'
import { type EngineRequest, type OpenedEngine, openEngine } from './open-engine.ts'
import { markPermanent } from './permanent-error.ts'
import { PictureSample } from './quantize/picture-sample.ts'
import { type Quantization, quantizationSentence, quantizedDir } from './quantize/quantized.ts'
import { type WhyFloats, whyFloats } from './quantize/why-floats.ts'
import type { ModelInput } from './read-input.ts'
import { tuningSentence } from './tuning/tuning.ts'

export interface PipelineOptions extends ModelRequest, EngineRequest {
  maxPixels: number
  /** Milliseconds after which the child is killed over one image. */
  prepareTimeout: number
}

const DEFAULT_TOP = 5
// Part of the version. To be raised when a change of the code turns the same image into other numbers.
const READING = 3
// In hexadecimal digits: 64 bits, short enough to compare by eye.
const VERSION_LENGTH = 16

/** The entry for a Broker: makes the pipeline that serves the named model. */
export async function makePipeline(options: PipelineOptions, { progress }: PipelineContext) {
  const { model, path, weightsDir } = options
  try {
    return await pipelineFor(options, progress)
  } catch (error) {
    throw await markPermanent(error, async () => [
      ...(await modelFiles(model, path, weightsDir)),
      quantizedDir(weightsDir),
    ])
  }
}

makePipeline satisfies MakePipeline

async function pipelineFor(options: PipelineOptions, progress: Progress) {
  const { kind, engine, image, output, labels, top, files, about, pictures } = await openParts(
    options,
    progress,
  )
  if (kind === 'features') return { kind, ...imageFeatures({ engine, image }), ...files, info: about }
  const names = { labels: labels.length, top, labelNames: labels.map(({ first }) => first) }
  const info = { ...about, ...names }
  const parts = { engine, labels, image, output, top }
  const sample = pictures === undefined ? undefined : new PictureSample()
  return engine.others.length > 0
    ? { kind: 'several' as const, ...sampled(classifierOfSeveral(parts), sample), ...files, info }
    : { kind, ...sampled(imageClassifier(parts), sample), ...files, info }
}

/** In one message. */
const PART_BYTES = 2 ** 20

interface Sampling {
  readonly methods: readonly string[]
  sample(wanted: { from: number }): { count: number; pictures: Uint8Array[] }
}

/** Keeps a sample of the pictures, which the service asks for to quantize the model. */
function sampled<Pipeline extends Pick<ReturnType<typeof imageClassifier>, 'prepare'>>(
  pipeline: Pipeline,
  sample: PictureSample | undefined,
): Pipeline & Partial<Sampling> {
  if (!sample) return pipeline
  return {
    ...pipeline,
    methods: ['predict', 'sample'],
    async prepare(input: ModelInput, context?: PrepareContext) {
      const prepared = await pipeline.prepare(input, context)
      if (prepared.pixels) sample.add(prepared.pixels)
      return prepared
    },
    sample: ({ from }) => ({ count: sample.size, pictures: sample.part(from, PART_BYTES) }),
  }
}

/** The model on its engine, and everything that a pipeline needs to know of it. */
export async function openParts(options: PipelineOptions, progress: Progress) {
  const found = await findAndFetch(options, progress)
  const opened = await openEngine(found, options, progress)
  try {
    return await partsOf(opened, found, options)
  } catch (error) {
    await opened.engine.close()
    throw error
  }
}

async function partsOf(opened: OpenedEngine, found: FoundModel, options: PipelineOptions) {
  const { engine, reason, tuning, quantization } = opened
  const { settings, preprocessing } = found
  const input = imageInput(engine.inputShape, settings.size)
  const output = await outputOf(opened, found)
  const image = imageOptions(input, settings, options)
  const { name, device } = engine
  const { labels, warnings } = labelsFor(opened, found, output)
  const top = settings.top ?? Math.min(DEFAULT_TOP, labels.length)
  const why = await autoFloats(opened, found, options, { input, output })
  const about = {
    model: options.model,
    version: versionOf(
      READING,
      found.key,
      image,
      labels,
      output,
      name,
      device,
      ...formsOf(tuning),
      ...digestOf(quantization),
    ),
    engine: name,
    device,
    reason,
    warnings: [
      ...opened.warnings,
      ...outputWarnings(output),
      ...warnings,
      ...(why?.isRefused ? [why.sentence] : []),
    ],
    ...(tuning && { tuning: aboutTuning(tuning) }),
    precision: quantization?.precision ?? 'fp32',
    ...(quantization && { quantization: quantizationSentence(quantization) }),
    ...(why && !why.isRefused && { quantization: why.sentence }),
    ...(why?.pictures !== undefined && { calibration: why.pictures }),
    subject: image.subject,
    input: { width: input.width, height: input.height, channels: input.channels, preprocessing },
    output,
  }
  const watch = await modelFiles(options.model, options.path, options.weightsDir)
  const batchTimes = tuning === undefined || tuning === 'wanted' ? [] : tuning.batches
  const files = { watch, batchTimes }
  return { kind: output.kind, engine, image, output, labels, top, files, about, pictures: why?.pictures }
}

/** Why the model is not computed as int8 with PRECISION=auto; undefined if it is, or is to be computed with floats. */
async function autoFloats(
  { engine, quantization }: OpenedEngine,
  found: FoundModel,
  { precision, weightsDir, precisionAgreement = 1, calibrates = false }: PipelineOptions,
  { input, output }: { input: ImageInput; output: OutputFacts },
): Promise<WhyFloats | undefined> {
  if (quantization !== undefined || (found.settings.precision ?? precision) !== 'auto') return undefined
  const { name, device } = engine
  const bytes = input.height * input.width * input.channels
  const isFeatures = output.kind === 'features'
  const served = { weightsDir, engine: name, device, bytes, isFeatures, calibrates }
  return whyFloats(found, { ...served, target: precisionAgreement })
}

/** A digest of everything that the answer depends on besides the bytes of the image. */
function versionOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, VERSION_LENGTH)
}

/** Winograd's way changes the last digits of an answer. */
function formsOf(tuning: OpenedEngine['tuning']): string[][] {
  if (tuning === undefined || tuning === 'wanted' || tuning.layers.length === 0) return []
  return tuning.layers.map(({ name, form }) => [name, form])
}

/** Another calibration gives other bytes. */
const digestOf = (quantization: Quantization | undefined): string[] =>
  quantization ? [quantization.digest] : []

function aboutTuning(tuning: NonNullable<OpenedEngine['tuning']>) {
  if (tuning === 'wanted') return { state: 'wanted', sentence: null, batches: [] }
  const { batches } = tuning
  return { state: 'done', sentence: tuningSentence(tuning) ?? null, batches }
}

async function outputOf(opened: OpenedEngine, { path, settings }: FoundModel) {
  const { outputShape: shape, others } = opened.engine
  const known = await knownFunction(opened, settings)
  return outputFacts({ shape, ...known, ...(others.length > 0 && { others }) }, settings, path)
}

/** The sample answers are needed only where the last layer does not tell what the numbers are. */
async function knownFunction(
  { engine, lastFunction }: OpenedEngine,
  { kind }: ModelSettings,
): Promise<Pick<OutputFacts, 'inside' | 'knownBy'>> {
  if (lastFunction !== undefined) return { inside: lastFunction, knownBy: 'last layer' }
  if (kind === 'features') return { inside: 'unknown', knownBy: 'not needed' }
  return { inside: await probeOutput(engine), knownBy: 'sample answers' }
}

function imageOptions(
  { height, width, channels }: ImageInput,
  settings: ModelSettings,
  { maxPixels, prepareTimeout }: PipelineOptions,
) {
  const { crop } = settings
  return {
    height,
    width,
    channels,
    subject: settings.subject ?? 'picture',
    interpolation: settings.interpolation ?? 'nearest',
    crop: crop === true ? 'center' : crop || 'stretch',
    orientation: settings.exif ?? true,
    colourProfile: settings.colourProfile ?? false,
    maxPixels,
    // Earlier than the kill, which the images beside it would feel.
    maxSeconds: Math.max(1, Math.floor((prepareTimeout / 1000) * 0.75)),
  } as const
}

/** The numbers of classes and labels must be equal: otherwise the model would answer with wrong names. */
function labelsFor(
  { engine }: OpenedEngine,
  { path, settings, areLabelsNoted }: FoundModel,
  output: OutputFacts,
): { labels: readonly Label[]; warnings: string[] } {
  if (output.kind === 'features') return { labels: [], warnings: [] }
  const { labels, labelsFile } = settings
  const classes = classCount(output, labels?.length)
  if (labels?.length === classes) return { labels, warnings: [] }
  const numbered = Array.from({ length: classes }, (_, index) => plainLabel(`class_${index}`))
  if (!labels) return { labels: isForDigits(engine.inputShape, classes) ? DIGITS : numbered, warnings: [] }
  const what = `${path} has ${engine.outputSize} outputs, but ${labelsFile} has ${labels.length} labels.`
  if (!areLabelsNoted) throw new PipelineError('ERR_MODEL_SETTINGS', what)
  return { labels: numbered, warnings: [`${what} The labels are not used.`] }
}

/** Pixels without channels, as MNIST has them: nothing but a network for digits takes those. */
function isForDigits(shape: readonly number[], classes: number): boolean {
  const isMnist = shape.join() === '784' || shape.join() === '28,28'
  return isMnist && classes === DIGITS.length
}

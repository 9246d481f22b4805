import type { BrokerStats, Calls } from '../../broker/broker.ts'
import { type ModelOutput, readOutput } from './model-output.ts'
import { type ModelTuning, readTuning } from './model-tuning.ts'

/** What a pipeline reports about itself. The user's own pipeline may report less; then the fields are null or empty. */
export interface PipelineInfo {
  /** identifies the weights and the preparation of images; empty if the same image may get another answer */
  readonly version: string
  readonly engine: string | null
  readonly device: string | null
  /** why this device was chosen */
  readonly reason: string | null
  /** what measurements on this machine have found; null if there is nothing to measure */
  readonly tuning: ModelTuning | null
  /** the numbers that the model is computed with: fp32, int8, or dense for dense layers as int8 */
  readonly precision: string | null
  /** what the quantization of the model has found, or what int8 waits for; null where floats are wanted */
  readonly quantization: string | null
  /** how many pictures of requests the pipeline collects to be quantized with; null if it collects none */
  readonly calibration: number | null
  /** sentences that the user should read, such as that a folder cannot be written */
  readonly warnings: readonly string[]
  /** what the model classifies: a whole picture, or the one digit on a picture */
  readonly subject: string | null
  /** the size to which each image is scaled, and what its pixels become */
  readonly input: PipelineInput | null
  /** what the numbers of an answer are */
  readonly output: ModelOutput | null
  /** the names of the classes, in the order of the model's outputs */
  readonly labels: readonly string[]
  /** the number of classes */
  readonly classes: number | null
  /** the number of guesses in an answer, unless the request asks for another number */
  readonly usual: number | null
  /** the file or folder of the weights */
  readonly path: string | null
}

export interface PipelineInput {
  readonly width: number
  readonly height: number
  readonly channels: number | null
  readonly preprocessing: string | null
}

/** The only reader of `stats().info`. */
export function readPipelineInfo({ info }: Pick<BrokerStats, 'info'>): PipelineInfo {
  const fields: Readonly<Record<string, unknown>> =
    typeof info === 'object' && info !== null ? { ...info } : {}
  const { labels, labelNames, top, input, output, warnings } = fields
  return {
    version: textOf(fields.version) ?? '',
    engine: textOf(fields.engine),
    device: textOf(fields.device),
    reason: textOf(fields.reason),
    tuning: readTuning(fields.tuning),
    precision: textOf(fields.precision),
    quantization: textOf(fields.quantization),
    calibration: countOf(fields.calibration),
    warnings: Array.isArray(warnings) ? warnings.map(String) : [],
    subject: textOf(fields.subject),
    input: inputOf(input),
    output: readOutput(output),
    labels: Array.isArray(labelNames) ? labelNames.map(String) : [],
    classes: countOf(labels),
    usual: countOf(top),
    path: textOf(fields.path),
  }
}

/** The info of each model, as last reported by a ready child. The info stays known while the next child starts. */
export class PipelineInfos {
  readonly #brokers: ReadonlyMap<string, Calls>
  // By model.
  readonly #known = new Map<string, PipelineInfo>()
  // By the object that was read.
  readonly #read = new WeakMap<object, PipelineInfo>()

  constructor(brokers: ReadonlyMap<string, Calls>) {
    this.#brokers = brokers
    // Without this, the info of a child that died before the first request would be lost.
    for (const [model, broker] of brokers) broker.on('state', () => this.#look(model, broker.stats()))
  }

  /** Undefined until a child has been ready. */
  of(model: string, stats = this.#brokers.get(model)?.stats()): PipelineInfo | undefined {
    return stats && this.#look(model, stats)
  }

  /** The info of the pipeline that has answered a call; each object is read once. */
  read(info: unknown): PipelineInfo {
    if (typeof info !== 'object' || info === null) return readPipelineInfo({ info })
    const known = this.#read.get(info) ?? readPipelineInfo({ info })
    this.#read.set(info, known)
    return known
  }

  #look(model: string, stats: BrokerStats): PipelineInfo | undefined {
    if (stats.info === undefined) return this.#known.get(model)
    const info = this.read(stats.info)
    this.#known.set(model, info)
    return info
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** All numbers of a pipeline are counts. */
function countOf(value: unknown): number | null {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : null
}

function inputOf(value: unknown): PipelineInput | null {
  if (typeof value !== 'object' || value === null) return null
  const { width, height, channels, preprocessing } = value as Readonly<Record<keyof PipelineInput, unknown>>
  const [columns, rows] = [countOf(width), countOf(height)]
  if (columns === null || rows === null) return null
  return { width: columns, height: rows, channels: countOf(channels), preprocessing: textOf(preprocessing) }
}

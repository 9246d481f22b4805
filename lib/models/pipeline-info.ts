import type { BrokerStats } from '../../broker/broker.ts'
import type { Brokers } from './brokers.ts'

/** What a pipeline tells of itself. One of the user's own tells what it likes: all that is missing has no value here. */
export interface PipelineInfo {
  /** of the weights and all that is done to an image; empty where answers are not known to repeat */
  readonly version: string
  readonly engine: string | null
  readonly device: string | null
  /** why it is this device */
  readonly reason: string | null
  /** what the model looks at: a picture as it is, or the one digit on it */
  readonly subject: string | null
  /** what each image is scaled to */
  readonly input: { readonly width: number; readonly height: number } | null
  /** the names of the classes, in the order of the model's outputs */
  readonly labels: readonly string[]
  /** how many classes the model tells apart */
  readonly classes: number | null
  /** how many guesses an answer has, unless it is asked for more */
  readonly usual: number | null
  /** where the weights are */
  readonly path: string | null
}

/** The only reader of `stats().info`. */
export function readPipelineInfo({ info }: Pick<BrokerStats, 'info'>): PipelineInfo {
  const fields: Readonly<Record<string, unknown>> =
    typeof info === 'object' && info !== null ? { ...info } : {}
  const { labels, labelNames, top, input } = fields
  return {
    version: textOf(fields.version) ?? '',
    engine: textOf(fields.engine),
    device: textOf(fields.device),
    reason: textOf(fields.reason),
    subject: textOf(fields.subject),
    input: sizeOf(input),
    labels: Array.isArray(labelNames) ? labelNames.map(String) : [],
    classes: numberOf(labels),
    usual: numberOf(top),
    path: textOf(fields.path),
  }
}

/** What is known of a model: what its last ready child told, until another one tells something else. */
export class PipelineInfos {
  readonly #brokers: Brokers
  // By model. An info is read once: `told` is the very object that it was read from.
  readonly #known = new Map<string, { readonly told: unknown; readonly info: PipelineInfo }>()

  constructor(brokers: Brokers) {
    this.#brokers = brokers
    // Else nothing would be known of a child that died before anything was asked of its model.
    for (const [model, broker] of brokers) broker.on('state', () => this.#look(model, broker.stats()))
  }

  /** Undefined until a child was ready. */
  of(model: string, stats = this.#brokers.get(model)?.stats()): PipelineInfo | undefined {
    return stats && this.#look(model, stats)
  }

  #look(model: string, stats: BrokerStats): PipelineInfo | undefined {
    const known = this.#known.get(model)
    if (stats.info === undefined || stats.info === known?.told) return known?.info
    const info = readPipelineInfo(stats)
    this.#known.set(model, { told: stats.info, info })
    return info
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

function sizeOf(value: unknown): PipelineInfo['input'] {
  if (typeof value !== 'object' || value === null) return null
  const { width, height } = value as { width?: unknown; height?: unknown }
  return typeof width === 'number' && typeof height === 'number' ? { width, height } : null
}

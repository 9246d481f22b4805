import { readFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import type { ReadyChild, SpareCount } from '../../broker/broker.ts'

/** On these devices a model takes the memory of the machine. A second model in the memory of a card could be one too many. */
const DEVICES_WITHOUT_CARD: readonly (string | null)[] = ['cpu', 'wasm']
/** For images that are decoded, answers that wait, and the file cache that holds the weights. */
const SHARE_KEPT_FREE = 1 / 4
/** A spare takes its memory while it starts; until then the memory still looks free to the spares of other models. */
const STARTS_WITHIN_MS = 10_000

export interface Memory {
  readonly free: number
  readonly total: number
}

/** What the setting SPARE_CHILDREN means for the brokers of one process. */
export function spareChildren(setting: number | 'auto', memory = memoryHere): SpareCount {
  if (setting !== 'auto') return setting
  let promised: { readonly bytes: number; readonly until: number }[] = []
  return async ({ pid, info }: ReadyChild) => {
    // Imported here: the first child is started earlier that way.
    const { readPipelineInfo } = await import('./pipeline-info.ts')
    if (!DEVICES_WITHOUT_CARD.includes(readPipelineInfo({ info }).device)) return 0
    const bytes = await privateBytes(pid)
    const now = performance.now()
    promised = promised.filter(({ until }) => until > now)
    const { free, total } = memory()
    const left = promised.reduce((rest, { bytes }) => rest - bytes, free - bytes)
    // False too where the memory of a process cannot be read.
    if (!(left >= total * SHARE_KEPT_FREE)) return 0
    promised.push({ bytes, until: now + STARTS_WITHIN_MS })
    return 1
  }
}

/** Of the machine, or of the container if that has less. */
function memoryHere(): Memory {
  return {
    free: process.availableMemory(),
    total: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
  }
}

/** The children of a model share the weights, which are mapped from a file: these are not counted. NaN without /proc. */
async function privateBytes(pid: number | undefined): Promise<number> {
  try {
    const [, kib = ''] = /^RssAnon:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'latin1')) ?? []
    return kib === '' ? Number.NaN : Number(kib) * 1024
  } catch {
    return Number.NaN
  }
}

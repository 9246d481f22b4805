import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Progress } from '../../broker/pipeline.ts'
import type { PipelineError } from '../errors.ts'
import { timeWords } from './download/byte-words.ts'
import { downloadFile } from './download/download.ts'
import { DownloadError } from './download/download-error.ts'
import { folderWatch } from './download/folder-watch.ts'
import { partOf, sizeOf } from './download/part-file.ts'
import { lookAtWeights } from './look-at-weights.ts'

/** A file of weights that can be had from somewhere. */
export interface WeightsEntry {
  /** of the model that needs it */
  readonly name: string
  readonly file: string
  readonly url: string
  readonly bytes: number
  readonly md5?: string
  /** Earlier versions that were published under the same name; they are served, but not downloaded. */
  readonly older?: readonly { readonly bytes: number; readonly md5?: string }[]
}

export interface EnsureOptions {
  weightsDir: string
  /** A folder on the web that has the file under its own name. */
  weightsUrl?: string | undefined
  progress: Progress
  signal?: AbortSignal | undefined
  /** How often in a row a download may fail without getting any further; forever, when left out. */
  attempts?: number | undefined
  /** For tests: the first pause between two attempts. */
  firstPauseMs?: number | undefined
}

const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 60_000
// Bytes that were all there and wrong will be wrong again; trying each minute would cost somebody a lot of traffic.
const PAUSE_AFTER_WRONG_CONTENT_MS = 3_600_000
// A start that reports nothing for two minutes is taken for dead, so even a long pause is told of.
const TELL_EVERY_MS = 5000
const POLL_MS = 2000
// Time enough for the last write of a copy to be followed by another one, if it was not the last.
const SETTLE_MS = 300

/**
 * The path of a file of weights: as it lies there, or downloaded, or put there by hand while the download fails. It
 * goes on trying, and says all the while what is missing.
 */
export async function ensureWeights(entry: WeightsEntry, options: EnsureOptions): Promise<string> {
  const path = join(resolve(options.weightsDir), entry.file)
  let seen = await lookAtWeights(path, entry, options.signal)
  // The user copies the file just now: nothing is downloaded meanwhile.
  while (seen === 'settling') {
    options.progress(
      Math.min(1, ((await sizeOf(path)) ?? 0) / entry.bytes),
      `waiting for the rest of ${entry.file}`,
    )
    await sleep(SETTLE_MS, undefined, { signal: options.signal })
    seen = await lookAtWeights(path, entry, options.signal)
  }
  if (seen === 'whole') return path
  const done = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, done.signal]) : done.signal
  const ways = [untilItAppears(path, entry, signal), keepDownloading(path, entry, options, signal)]
  try {
    await Promise.race(ways)
    return path
  } finally {
    done.abort(new Error('the other way was faster'))
    // The download gives its lock back before this process does anything else.
    await Promise.allSettled(ways)
  }
}

/** A mirror has the files side by side; what follows a question mark, such as a signature, stays where it is. */
export function addressOf({ url, file }: WeightsEntry, weightsUrl: string | undefined): string {
  if (weightsUrl === undefined || weightsUrl === '') return url
  const mirror = new URL(weightsUrl)
  mirror.pathname = `${mirror.pathname.replace(/\/+$/, '')}/${encodeURIComponent(file)}`
  return mirror.href
}

async function untilItAppears(path: string, entry: WeightsEntry, signal: AbortSignal): Promise<void> {
  using folder = folderWatch(path)
  for (;;) {
    const seen = await lookAtWeights(path, entry, signal)
    if (seen === 'whole') return
    await folder.change(seen === 'settling' ? SETTLE_MS : POLL_MS, signal)
  }
}

async function keepDownloading(
  path: string,
  entry: WeightsEntry,
  options: EnsureOptions,
  signal: AbortSignal,
): Promise<void> {
  const { weightsUrl, progress, attempts = Number.POSITIVE_INFINITY, firstPauseMs = FIRST_PAUSE_MS } = options
  const { bytes, md5 } = entry
  const url = addressOf(entry, weightsUrl)
  const request = { url, path, bytes, md5, neededBy: entry.name, allowHttp: url !== entry.url }
  let failures = 0
  for (;;) {
    const before = (await sizeOf(partOf(path))) ?? 0
    try {
      return await downloadFile({ ...request, onProgress: progress, signal })
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof DownloadError)) throw error
      const have = (await sizeOf(partOf(path))) ?? 0
      failures = have > before ? 1 : failures + 1
      const isHopeless = error.kind !== 'network' && attempts !== Number.POSITIVE_INFINITY
      if (isHopeless || failures >= attempts) throw error
      const pause =
        error.kind === 'content'
          ? PAUSE_AFTER_WRONG_CONTENT_MS
          : Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** (failures - 1))
      await tellWhilePausing(pause, (word) => progress(Math.min(1, have / bytes), word), error, signal)
    }
  }
}

async function tellWhilePausing(
  pauseMs: number,
  tell: (word: string) => void,
  { message }: PipelineError,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + pauseMs
  for (let left = pauseMs; left > 0; left = end - performance.now()) {
    tell(`${message} Next try in ${timeWords(Math.ceil(left / 1000))}.`)
    await sleep(Math.min(left, TELL_EVERY_MS), undefined, { signal })
  }
}

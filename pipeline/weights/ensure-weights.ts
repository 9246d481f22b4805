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

/** A file of weights that can be downloaded. */
export interface WeightsEntry {
  /** the model that needs the file */
  readonly name: string
  readonly file: string
  readonly url: string
  readonly bytes?: number
  readonly md5?: string
  readonly sha256?: string
  /** Earlier versions published under the same name, which are served, but not downloaded. */
  readonly older?: readonly { readonly bytes: number; readonly md5?: string }[]
}

export interface EnsureOptions {
  weightsDir: string
  /** The URL of a folder that has the file under its own name. */
  weightsUrl?: string | undefined
  progress: Progress
  signal?: AbortSignal | undefined
  /** The number of attempts in a row that may fail without a new byte; without it, there is no limit. */
  attempts?: number | undefined
  /** The first pause between two attempts; set by tests. */
  firstPauseMs?: number | undefined
}

const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 60_000
// A complete file with wrong bytes will be wrong again, and a retry each minute would cause much traffic.
const PAUSE_AFTER_WRONG_CONTENT_MS = 3_600_000
// The broker kills a start that reports nothing for two minutes, so a pause is reported too.
const TELL_EVERY_MS = 5000
const POLL_MS = 2000
// Long enough for a copy in progress to write again.
const SETTLE_MS = 300

/**
 * Resolves to the path of a file of weights once the file is there: already, by download, or put there by the user. A
 * download that fails is retried, and `progress` says what is missing.
 */
export async function ensureWeights(entry: WeightsEntry, options: EnsureOptions): Promise<string> {
  const path = join(resolve(options.weightsDir), entry.file)
  let seen = await lookAtWeights(path, entry, options.signal)
  // The user seems to be copying the file: no download begins.
  while (seen === 'settling') {
    options.progress(shareOf((await sizeOf(path)) ?? 0, entry), `waiting for the rest of ${entry.file}`)
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
    // Waits until the download has released its lock.
    await Promise.allSettled(ways)
  }
}

/** How much of a file is there, from 0 to 1; 0 while the size is not known. */
const shareOf = (have: number, { bytes }: WeightsEntry): number =>
  bytes === undefined ? 0 : Math.min(1, have / bytes)

/** The file's URL. A mirror has all files in one folder; the mirror's query, such as a signature, is kept. */
export function addressOf({ url, file }: WeightsEntry, weightsUrl: string | undefined): string {
  if (weightsUrl === undefined || weightsUrl === '') return url
  const mirror = new URL(weightsUrl)
  mirror.pathname = `${mirror.pathname.replace(/\/+$/, '')}/${encodeURIComponent(file)}`
  return mirror.href
}

async function untilItAppears(path: string, entry: WeightsEntry, signal: AbortSignal): Promise<void> {
  const folder = folderWatch(path)
  try {
    for (;;) {
      const seen = await lookAtWeights(path, entry, signal)
      if (seen === 'whole') return
      await folder.change(seen === 'settling' ? SETTLE_MS : POLL_MS, signal)
    }
  } finally {
    folder.close()
  }
}

async function keepDownloading(
  path: string,
  entry: WeightsEntry,
  options: EnsureOptions,
  signal: AbortSignal,
): Promise<void> {
  const { weightsUrl, progress, attempts = Number.POSITIVE_INFINITY, firstPauseMs = FIRST_PAUSE_MS } = options
  const { bytes, md5, sha256 } = entry
  const url = addressOf(entry, weightsUrl)
  const request = { url, path, bytes, md5, sha256, neededBy: entry.name, allowHttp: url !== entry.url }
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
      await tellWhilePausing(pause, (word) => progress(shareOf(have, entry), word), error, signal)
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

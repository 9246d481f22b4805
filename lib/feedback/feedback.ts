import { join, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { HttpError } from '../http/errors.ts'
import type { ImageKind } from '../image/image-kind.ts'
import { appendLine, type LineFile } from './append-line.ts'
import { csvLine, textCell } from './csv-line.ts'
import { createFolderSize } from './folder-size.ts'
import { asStorageError, warnOnce } from './storage-error.ts'
import { createTurns } from './turns.ts'
import { isThere, writeOnce } from './write-once.ts'

/** A line of the record; a missing field becomes an empty cell. */
export interface FeedbackEntry {
  readonly requestId: string
  readonly sha256?: string
  readonly model?: string
  readonly version?: string
  readonly prediction?: string
  readonly score?: number
  readonly report: string
  /** where model, prediction and the like come from: the memory of the service, or the client's report */
  readonly source?: 'service' | 'client'
}

export interface Feedback {
  /** Throws if the text of a report is empty or too long. */
  check(report: string): void
  record(entry: FeedbackEntry): Promise<void>
  /** Stores a reported image beside the record, if KEEP_FEEDBACK_IMAGES is on. */
  keepImage(sha256: string, bytes: Uint8Array, extension: ImageKind['extension']): Promise<void>
  /** Waits for pending writes. Later reports are still written, because no file stays open between two writes. */
  close(): Promise<void>
}

export type FeedbackLimits = Pick<
  Config,
  'feedbackDir' | 'feedbackFileBytes' | 'feedbackMaxBytes' | 'keepFeedbackImages'
>

/** Characters, about a page. */
const MAX_REPORT = 2000
export const FEEDBACK_HEADER = 'time,request_id,image_sha256,model,version,prediction,score,report,source\r\n'
/** The block size of most disks. An image counts as at least one block. */
const BLOCK_BYTES = 4096
const SHA256 = /^[0-9a-f]{64}$/

/**
 * The record of wrong predictions: files of CSV in a folder that several processes may share. If nothing can be stored,
 * each caller gets an error, and `warn` is called once for each reason.
 */
export function createFeedback(limits: FeedbackLimits, warn: (error: HttpError) => void): Feedback {
  const folder = resolve(limits.feedbackDir)
  const images = join(folder, 'images')
  const file: LineFile = {
    path: join(folder, 'feedback.csv'),
    header: Buffer.from(FEEDBACK_HEADER),
    maxBytes: limits.feedbackFileBytes,
  }
  const size = createFolderSize([
    { path: folder, leastBytes: 0 },
    { path: images, leastBytes: BLOCK_BYTES },
  ])
  const turns = createTurns()
  const warning = warnOnce(warn)

  const mustHaveRoom = async (bytes: number) => {
    if ((await size.bytes()) + bytes <= limits.feedbackMaxBytes) return
    throw new HttpError(
      'ERR_FEEDBACK_FULL',
      'The folder for feedback is full; no more reports are recorded for now.',
    )
  }
  const store = (bytes: number, job: () => Promise<void>) =>
    turns.take(bytes, job).catch((error: unknown) => {
      const problem = asStorageError(error)
      warning.problem(problem)
      throw problem
    })
  return {
    check: mustBeReport,
    async record(entry) {
      mustBeReport(entry.report)
      const line = Buffer.from(lineOf(entry))
      await store(line.length, async () => {
        await mustHaveRoom(line.length)
        await appendLine(file, line)
        size.add(line.length)
      })
      warning.reset()
    },
    async keepImage(sha256, bytes, extension) {
      if (limits.keepFeedbackImages === 'off') return
      if (!SHA256.test(sha256))
        throw new TypeError(`A SHA-256 must have 64 hexadecimal digits, but is "${sha256}".`)
      await store(bytes.length, async () => {
        const path = join(images, `${sha256}.${extension}`)
        if (await isThere(path)) return
        const counted = Math.max(bytes.length, BLOCK_BYTES)
        await mustHaveRoom(counted)
        if (await writeOnce(path, bytes)) size.add(counted)
      })
    },
    close: () => turns.idle(),
  }
}

function mustBeReport(report: string): void {
  // A text area counts the end of a line as one character, but sends two.
  const length = report.length > 2 * MAX_REPORT ? report.length : report.replaceAll('\r\n', '\n').length
  if (length > MAX_REPORT) {
    throw new HttpError(
      'ERR_BAD_REQUEST',
      `A report must have at most ${MAX_REPORT} characters, but this one has ${length}.`,
    )
  }
  if (!/[^\s\p{Cc}\p{Cf}\p{Cs}]/u.test(report)) {
    throw new HttpError('ERR_FEEDBACK_EMPTY', 'A report must say something, but this one is empty.')
  }
}

function lineOf(entry: FeedbackEntry): string {
  const { requestId, sha256, model, version, prediction, score, report, source = '' } = entry
  const time = new Date().toISOString()
  const texts = [requestId, sha256, model, version, prediction].map((text) => textCell(text ?? ''))
  const number = Number.isFinite(score) ? String(score) : ''
  return csvLine([time, ...texts, number, textCell(report), source])
}

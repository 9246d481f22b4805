import { open, statfs } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Progress } from '../../../broker/pipeline.ts'
import { makeFolder } from '../../make-folder.ts'
import { byteWords } from './byte-words.ts'
import { checksumOfFile, rememberChecksum } from './checked-file.ts'
import { type Checksum, checksumOf, checksumWords, type Published } from './checksum.ts'
import { DownloadError, reasonOf, shownUrl } from './download-error.ts'
import { type FileLock, lockFile } from './file-lock.ts'
import { beginPart, dropPart, finishPart, partOf, resumable, sizeOf } from './part-file.ts'
import { type RangeAnswer, requestRange } from './request-range.ts'
import { stallGuard } from './stall-guard.ts'
import { transferMeter } from './transfer-meter.ts'

export interface DownloadOptions extends Published {
  url: string
  /** The path of the file. Until the file is complete, `.part`, `.part.from` and `.lock` lie beside it. */
  path: string
  bytes?: number | undefined
  /** The model that needs the file, for messages. */
  neededBy?: string | undefined
  /** For a mirror that the user named; all other URLs must be https. */
  allowHttp?: boolean | undefined
  onProgress?: Progress | undefined
  signal?: AbortSignal | undefined
  /** How long the server may send no byte. */
  stallMs?: number | undefined
}

const STALL_MS = 30_000
// For a server that sends no size. Image networks are smaller.
const MAX_BYTES = 16 * 2 ** 30
const WAITING = 'another process downloads it'

/**
 * One attempt to download a file, resuming where the last attempt ended. The file gets its name only when it is
 * complete and has the right hash. Several processes may try at once: one downloads, the others wait; if the
 * downloading process dies, another one resumes.
 */
export async function downloadFile(options: DownloadOptions): Promise<void> {
  const { path, signal } = options
  let lock: FileLock | undefined
  try {
    await makeFolder(dirname(path))
    lock = await lockFile(`${path}.lock`, { signal, onWait: waitReports(options) })
    // The process that held the lock has checked the hash, so the size is enough here.
    if (lock.waited && (await isThere(options))) return
    await download(options, lock.lost)
  } catch (error) {
    signal?.throwIfAborted()
    throw explained(error, options)
  } finally {
    await lock?.release()
  }
}

async function download(options: DownloadOptions, lost: AbortSignal): Promise<void> {
  const { path, bytes, signal, onProgress } = options
  const { have, validator } = await resumable(path, options)
  if (bytes === undefined || have < bytes) {
    if (bytes !== undefined) await checkSpace(path, bytes - have)
    const stall = stallGuard(options.stallMs ?? STALL_MS, signal ? [signal, lost] : [lost])
    try {
      await receive(await ask(options, have, validator, stall.signal), options, stall.beat)
    } catch (error) {
      // After an abort, fetch may throw an error of its own; the signal's reason says more.
      throw stall.signal.aborted ? stall.signal.reason : error
    } finally {
      stall.stop()
    }
  }
  const whole = (await sizeOf(partOf(path))) ?? 0
  onProgress?.(1, `checking ${byteWords(whole)}`)
  const published = checksumOf(options)
  if (published) await checkContent(path, published, signal)
  await finishPart(path)
  if (published) await rememberChecksum(path, published)
}

async function ask(
  { url, bytes, allowHttp = false }: DownloadOptions,
  have: number,
  validator: string | undefined,
  signal: AbortSignal,
): Promise<RangeAnswer> {
  const request = { allowHttp, signal }
  const answer =
    (await requestRange(url, { ...request, from: have, validator })) ??
    // The server's file ends before the incomplete part does, so the part is of another file: start again at 0.
    (await requestRange(url, { ...request, from: 0 }))
  if (answer === undefined) throw new DownloadError('answer', 'the server finds no byte at offset 0')
  if (bytes === undefined || answer.total === undefined || answer.total === bytes) return answer
  throw new DownloadError('answer', `the server's file has ${answer.total} bytes instead of ${bytes}`)
}

async function receive(answer: RangeAnswer, options: DownloadOptions, beat: () => void): Promise<void> {
  const { url, path, bytes } = options
  const total = bytes ?? answer.total
  const limit = total ?? MAX_BYTES
  if (limit > MAX_BYTES)
    throw new DownloadError('answer', `the server's file has ${limit} bytes; the limit is ${MAX_BYTES}`)
  if (bytes === undefined && total !== undefined) await checkSpace(path, total - answer.from)
  // The old part is emptied only now, since before the answer it might still have been resumed.
  if (answer.from === 0) await beginPart(path, { url, validator: answer.validator })
  let position = answer.from
  const moved = transferMeter(total, position, options.onProgress ?? (() => {}))
  const file = await open(partOf(path), 'a')
  try {
    for await (const chunk of answer.body) {
      position += chunk.length
      if (position > limit) throw new DownloadError('content', `the server sends more than ${limit} bytes`)
      await file.appendFile(chunk)
      beat()
      moved(position)
    }
  } finally {
    await file.close()
    if (position > limit) await dropPart(path)
  }
  if (total !== undefined && position < total) {
    throw new DownloadError('network', `the connection ended after ${position} of ${total} bytes`)
  }
}

async function checkContent(
  path: string,
  published: Checksum,
  signal: AbortSignal | undefined,
): Promise<void> {
  const found = await checksumOfFile(partOf(path), published.algorithm, signal)
  if (found.digest === published.digest) return
  await dropPart(path)
  throw new DownloadError(
    'content',
    `the downloaded file has the ${checksumWords(found)} instead of ${published.digest}`,
  )
}

async function checkSpace(path: string, needed: number): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(dirname(path))
  // Some network file systems report no blocks.
  if (blocks === 0 || bavail * bsize >= needed) return
  const free = byteWords(bavail * bsize)
  throw new DownloadError('disk', `${byteWords(needed)} are needed on the disk, and ${free} are free`)
}

/** A waiting process reports the size of the part that another process writes. */
function waitReports({ path, bytes, onProgress }: DownloadOptions): () => void {
  return () => {
    if (onProgress === undefined) return
    void sizeOf(partOf(path)).then((have = 0) => {
      const part = bytes === undefined ? '' : `: ${Math.floor((100 * have) / bytes)} % of ${byteWords(bytes)}`
      onProgress(bytes === undefined ? 0 : Math.min(1, have / bytes), `${WAITING}${part}`)
    })
  }
}

async function isThere({ path, bytes }: DownloadOptions): Promise<boolean> {
  const size = await sizeOf(path)
  return size !== undefined && (bytes === undefined || size === bytes)
}

/** One sentence says which file is missing, its URL and the reason; a second one says what the user can do. */
function explained(error: unknown, { url, path, bytes, neededBy }: DownloadOptions): DownloadError {
  const file = `${basename(path)}${bytes === undefined ? '' : ` (${byteWords(bytes)})`}`
  const what = neededBy === undefined ? `${file} could not be` : `${neededBy} needs ${file}: it could not be`
  const message =
    `${what} downloaded from ${shownUrl(url)} (${reasonOf(error)}). ` +
    `Put the file into ${dirname(path)}, or set WEIGHTS_URL to a mirror.`
  return new DownloadError(kindOf(error), message, { cause: error })
}

function kindOf(error: unknown): DownloadError['kind'] {
  if (error instanceof DownloadError) return error.kind
  // Only a failed system call has `syscall`. fetch wraps those of sockets in an error without it.
  return (error as NodeJS.ErrnoException).syscall === undefined ? 'network' : 'disk'
}

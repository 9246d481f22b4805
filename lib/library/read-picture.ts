import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** Bytes, the path of a file, or an address: http, https, file or data. */
export type Picture = string | URL | Uint8Array | ArrayBuffer | Blob

export interface PictureLimits {
  readonly maxBodyBytes: number
  readonly fetchTimeoutMs: number
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission is denied',
  EISDIR: 'it is a folder',
}

/** A picture could not be read; the message completes the line "photo.jpg: …". */
export class PictureError extends Error {
  override readonly name = 'PictureError'
  readonly code: 'ERR_FILE' | 'ERR_INPUT_MISSING' | 'ERR_URL_FETCH'

  constructor(code: PictureError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export async function readPicture(
  picture: Picture,
  limits: PictureLimits,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (picture instanceof Uint8Array) return picture
  if (picture instanceof ArrayBuffer) return new Uint8Array(picture)
  if (picture instanceof Blob) return new Uint8Array(await picture.arrayBuffer())
  if (typeof picture !== 'string' && !(picture instanceof URL)) throw noPicture(picture)
  const text = String(picture)
  if (text.startsWith('file:')) return readFile(fileURLToPath(text), limits)
  return isAddress(text) ? download(text, limits, signal) : readFile(text, limits)
}

function noPicture(value: never): PictureError {
  const message = `a picture must be bytes, a path or an address, but is ${typeof value}`
  return new PictureError('ERR_INPUT_MISSING', message)
}

export function isAddress(text: string): boolean {
  return /^(https?|data):/i.test(text)
}

async function readFile(path: string, { maxBodyBytes }: PictureLimits): Promise<Uint8Array> {
  const handle = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(REASONS[cause.code ?? ''] ?? cause.message, cause)
  })
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) {
      throw unreadable(stats.isDirectory() ? 'it is a folder' : 'it is not a regular file')
    }
    if (stats.size > maxBodyBytes) {
      throw unreadable(`the file has ${stats.size} bytes, but MAX_BODY_BYTES is ${maxBodyBytes}`)
    }
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

/** Unlike the service, which must not reach into a network for its clients, the caller may name any address. */
async function download(
  address: string,
  { maxBodyBytes, fetchTimeoutMs }: PictureLimits,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(fetchTimeoutMs)
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  try {
    const answer = await fetch(address, { signal: either })
    if (!answer.ok) throw notDownloaded(`the server has answered ${answer.status}`)
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of answer.body ?? []) {
      size += chunk.length
      if (size > maxBodyBytes)
        throw notDownloaded(`the picture has more than ${maxBodyBytes} bytes (MAX_BODY_BYTES)`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    if (error instanceof PictureError) throw error
    signal?.throwIfAborted()
    if (timeout.aborted) throw notDownloaded(`it did not arrive within ${fetchTimeoutMs} ms`, error)
    throw notDownloaded(reasonOf(error), error)
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error && cause.message !== '') return cause.message
  return error instanceof Error ? error.message : String(error)
}

function unreadable(reason: string, cause?: unknown): PictureError {
  return new PictureError('ERR_FILE', reason, { cause })
}

function notDownloaded(reason: string, cause?: unknown): PictureError {
  return new PictureError('ERR_URL_FETCH', `it cannot be downloaded: ${reason}`, { cause })
}

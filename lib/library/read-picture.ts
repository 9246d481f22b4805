import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/**
 * Bytes; the path of a file; an address: http, https, data or file; or `{ url }`, an address from a client, which is never a
 * file of this machine.
 */
export type Picture = string | URL | Uint8Array | ArrayBuffer | Blob | { readonly url: string }

export interface PictureLimits {
  readonly maxBodyBytes: number
  readonly fetchTimeoutMs: number
}

/** Gives the bytes at an http, https or data address. */
export type Download = (address: string, signal: AbortSignal) => Promise<Uint8Array>

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission is denied',
  EISDIR: 'it is a folder',
}
const NEVER = new AbortController().signal

/** A picture could not be read; the message completes the line "photo.jpg: …". */
export class PictureError extends Error {
  override readonly name = 'PictureError'
  readonly code: 'ERR_FILE' | 'ERR_URL_FETCH' | 'ERR_INPUT_MISSING'

  constructor(code: PictureError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export async function readPicture(
  picture: Picture,
  limits: PictureLimits,
  signal: AbortSignal = NEVER,
  download: Download = anyAddress(limits),
): Promise<Uint8Array> {
  signal.throwIfAborted()
  if (picture instanceof Uint8Array) return picture
  if (picture instanceof ArrayBuffer) return new Uint8Array(picture)
  if (picture instanceof Blob) return new Uint8Array(await picture.arrayBuffer())
  if (typeof picture === 'string' || picture instanceof URL) {
    const text = String(picture)
    if (isAddress(text)) return download(text, signal)
    return readFile(text.startsWith('file:') ? fileURLToPath(text) : text, limits)
  }
  if (typeof picture === 'object' && picture !== null && typeof picture.url === 'string') {
    return download(picture.url, signal)
  }
  throw new PictureError('ERR_INPUT_MISSING', 'it must be bytes, a path, an address or { url }')
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

/** For the user of a command, who, unlike the client of a service, may name any address. */
export function anyAddress(limits: PictureLimits): Download {
  return (address, signal) => fetchAny(address, limits, signal)
}

async function fetchAny(
  address: string,
  { maxBodyBytes, fetchTimeoutMs }: PictureLimits,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(fetchTimeoutMs)
  try {
    const answer = await fetch(address, { signal: AbortSignal.any([signal, timeout]) })
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
    signal.throwIfAborted()
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

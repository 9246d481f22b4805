import { open } from 'node:fs/promises'
import { isPattern } from './expand-pattern.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission is denied',
  EISDIR: 'it is a folder',
}

/** The bytes of a file, or an error whose message completes the line "photo.jpg: …". */
export async function readImageFile(file: string, maxBytes: number): Promise<Uint8Array> {
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    const reason = REASONS[cause.code ?? ''] ?? cause.message
    throw unreadable(cause.code === 'ENOENT' && isPattern(file) ? 'no file matches' : reason, cause)
  })
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw unreadable(stats.isDirectory() ? REASONS.EISDIR : 'it is not a regular file')
    if (stats.size > maxBytes) {
      throw unreadable(`the file has ${stats.size} bytes, but MAX_BODY_BYTES is ${maxBytes}`)
    }
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

function unreadable(reason: string | undefined, cause?: unknown): Error {
  return Object.assign(new Error(reason, { cause }), { code: 'ERR_FILE' })
}

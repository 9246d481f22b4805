import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { loadError } from './model-file-error.ts'

/** A part of an open file, read like a file of its own: the whole file, or an entry of a ZIP. */
export interface FileWindow {
  /** For messages; never used as a path. */
  readonly name: string
  readonly fd: number
  readonly start: number
  readonly size: number
}

/** Opens a regular file, and refuses others: reading could wait forever (a pipe) or never end (a device). */
export function openWindow(path: string, name: string): FileWindow {
  const fd = openPath(path, name)
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw loadError(`${name} is no file.`)
    return { name, fd, start: 0, size: stats.size }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Reads `length` bytes, or fewer at the end of the window. */
export function readBytes(window: FileWindow, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(Math.max(0, Math.min(length, window.size - position)))
  let done = 0
  while (done < buffer.length) {
    const n = readSync(window.fd, buffer, done, buffer.length - done, window.start + position + done)
    if (n === 0) throw loadError(`${window.name} ended while it was being read.`)
    done += n
  }
  return buffer
}

function openPath(path: string, name: string): number {
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer. Windows does not have this flag.
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw loadError(`${name} cannot be opened (${code ?? 'unknown error'}).`, cause)
  }
}

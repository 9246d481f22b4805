import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { loadError } from './model-file-error.ts'

/** A part of an open file that is read as if it were a file of its own: all of it, or an entry inside of a ZIP. */
export interface FileWindow {
  /** For messages; never used as a path. */
  readonly name: string
  readonly fd: number
  readonly start: number
  readonly size: number
}

/** Opens a plain file. What else a path may lead to could wait for ever (a pipe) or never end (a device). */
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

/** As many bytes as there are, `length` at most. */
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
    // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it. Windows has no such flag.
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw loadError(`${name} cannot be opened (${code ?? 'unknown error'}).`, cause)
  }
}

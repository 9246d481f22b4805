import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, rename } from 'node:fs/promises'
import { isCode, writeOnce } from './write-once.ts'

export interface LineFile {
  /** ends with .csv */
  readonly path: string
  /** its first line */
  readonly header: Buffer
  /** the size at which it is set aside and begun anew */
  readonly maxBytes: number
}

// Reading is for looking at what is there. A link in place of the file could lead the records anywhere.
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW
/** Each attempt that fails is another process's success, so a few are enough. */
const ATTEMPTS = 20
const CRLF = Buffer.from('\r\n')

/**
 * Adds a line in a single write to a descriptor that appends: the kernel lets such writes of several processes neither
 * overlap nor interleave (on a local file system; NFS promises no such thing). The file is opened for each line. That
 * takes a fraction of a millisecond, and no process goes on writing into a file that another has long set aside: one
 * that does so by a hair's breadth adds to a file that is whole and stays where it is.
 *
 * Nothing is synced to the disk. What is written survives the end of this process; for a failure of power, the last
 * half minute of such records is not worth tens of milliseconds of the disk for each.
 */
export async function appendLine(file: LineFile, line: Uint8Array): Promise<void> {
  const handle = await openForLine(file)
  try {
    const { bytesWritten } = await handle.write(line)
    if (bytesWritten === line.length) return
    // The beginning of the line stays: to cut it off could cut off what others have added since. The next one who
    // opens the file sees that it does not end with a line, and sets it aside.
    throw new Error(`Only ${bytesWritten} of ${line.length} bytes could be written to ${file.path}.`)
  } finally {
    await handle.close()
  }
}

async function openForLine(file: LineFile): Promise<FileHandle> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const handle = await openIfThere(file.path)
    if (handle === undefined) {
      await writeOnce(file.path, file.header)
      continue
    }
    try {
      const state = await stateOf(handle, file)
      // Where many write much, what was begun a moment ago may be full again: then the line still goes there.
      if (state === 'good' || (state === 'full' && attempt > 0)) return handle
      await setAside(handle, file.path)
    } catch (error) {
      await handle.close()
      throw error
    }
    await handle.close()
  }
  throw new Error(`${file.path} was not found in order in ${ATTEMPTS} attempts.`)
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, FLAGS)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/**
 * Broken is a file that lacks its header or ends within a line: a write was cut short by a full disk, a machine lost
 * its power, somebody edited it. A line that another process is adding at this very moment can look so too; then the
 * file is set aside early, and that line still arrives in it.
 */
async function stateOf(handle: FileHandle, { path, header, maxBytes }: LineFile) {
  const stat = await handle.stat()
  if (!stat.isFile()) throw new Error(`${path} must be a file.`)
  const [start, end] = await Promise.all([
    bytesAt(handle, 0, header.length),
    bytesAt(handle, Math.max(0, stat.size - CRLF.length), CRLF.length),
  ])
  if (!start.equals(header) || !end.equals(CRLF)) return 'broken'
  return stat.size >= maxBytes ? 'full' : 'good'
}

async function bytesAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/**
 * Gives the file a name of its own, unless another process has done so. Between the look and the renaming it still
 * may: then the file that it has begun is set aside, short but whole.
 */
async function setAside(handle: FileHandle, path: string): Promise<void> {
  const mine = await handle.stat({ bigint: true })
  const aside = path.replace(/\.csv$/, `-${timestamp()}-${randomBytes(4).toString('hex')}.csv`)
  try {
    const there = await lstat(path, { bigint: true })
    if (there.ino === mine.ino && there.dev === mine.dev) await rename(path, aside)
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
  }
}

/** 20260131T120000123Z, which any file system can hold. */
function timestamp(): string {
  return new Date().toISOString().replace(/[-:.]/g, '')
}

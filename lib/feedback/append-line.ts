import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, rename } from 'node:fs/promises'
import { isCode, writeOnce } from './write-once.ts'

export interface LineFile {
  /** ends with .csv */
  readonly path: string
  /** the first line of the file */
  readonly header: Buffer
  /** the size at which the file is renamed and a new one begins */
  readonly maxBytes: number
}

// Read access is for the check of the first and last bytes. O_NOFOLLOW: a link could send the records anywhere.
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW
/** An attempt fails only if another process succeeds at the same moment, so a few attempts are enough. */
const ATTEMPTS = 20
const CRLF = Buffer.from('\r\n')

/**
 * Appends a line with a single write. On a local file system, such writes of several processes neither overlap nor
 * interleave; NFS gives no such guarantee. The file is opened for each line, which takes a fraction of a millisecond,
 * so that no process keeps writing to a file that another process has renamed. A line that is written just after the
 * renaming still ends up in a complete file.
 *
 * Nothing is synced to the disk. A written line survives the end of this process; a power failure may lose the last
 * half minute. A sync would cost tens of milliseconds for each line.
 */
export async function appendLine(file: LineFile, line: Uint8Array): Promise<void> {
  const handle = await openForLine(file)
  try {
    const { bytesWritten } = await handle.write(line)
    if (bytesWritten === line.length) return
    // The incomplete line stays, because truncating could remove lines that other processes have added since. The next
    // append finds that the file does not end with a complete line, and sets the file aside.
    const message = `Only ${bytesWritten} of ${line.length} bytes could be written to ${file.path}.`
    // A system cuts a write short when the room for the file ends; the next write would fail with this code.
    throw Object.assign(new Error(message), { code: 'ENOSPC' })
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
      // Under heavy load, a file that was begun a moment ago may be full already; the line is then added all the same.
      if (state === 'good' || (state === 'full' && attempt > 0)) return handle
      await setAside(handle, file.path)
    } catch (error) {
      await handle.close()
      throw error
    }
    await handle.close()
  }
  throw new Error(`${file.path} was missing or incomplete in each of ${ATTEMPTS} attempts.`)
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
 * A file is broken if it has no header or ends within a line: after a write to a full disk, a power failure, or an edit
 * by hand. A file can also look broken while another process is adding a line; then the file is set aside early, and
 * the line still ends up there.
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
 * Renames the file, unless another process has done so already. If another process does so between the check and the
 * renaming here, its new file is renamed too, short but complete.
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

/** Such as 20260131T120000123Z, which every file system allows in a name. */
function timestamp(): string {
  return new Date().toISOString().replace(/[-:.]/g, '')
}

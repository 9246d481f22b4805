import { randomBytes } from 'node:crypto'
import { link, lstat, mkdir, open, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Makes a file that other processes see complete or not at all. False if the file exists already. A hard link fails
 * where a rename would replace, so if two processes make the same file, one wins and loses nothing.
 */
export async function writeOnce(path: string, bytes: Uint8Array): Promise<boolean> {
  const folder = dirname(path)
  await makeFolder(folder)
  const temporary = join(folder, `.${randomBytes(8).toString('hex')}.tmp`)
  try {
    await writeNew(temporary, bytes)
    await link(temporary, path)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  } finally {
    await unlink(temporary).catch(() => undefined)
  }
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false
    throw error
  }
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/**
 * Makes a folder and the folders above it. Node's `recursive: true` is not used: it never returns in /proc, where no
 * folder can be made, and reports ENOENT for a read-only disk.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, 0o700)
  } catch (error) {
    // If a file is in the way, the next access below the path fails with ENOTDIR.
    if (isCode(error, 'EEXIST')) return
    const parent = dirname(path)
    if (!isCode(error, 'ENOENT') || (await isThere(parent))) throw error
    await makeFolder(parent)
    await makeFolder(path)
  }
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(bytes)
  } finally {
    await handle.close()
  }
}

import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder and the folders above it. Node's `recursive: true` is not used: it never returns in /proc, where no
 * folder can be made, and reports ENOENT for a read-only disk.
 */
export async function makeFolder(path: string): Promise<void> {
  const parent = dirname(path)
  if (parent !== path && (await kindOf(parent)) === 'none') await makeFolder(parent)
  try {
    await mkdir(path)
  } catch (error) {
    if ((await kindOf(path)) !== 'folder') throw error
  }
}

async function kindOf(path: string): Promise<'none' | 'folder' | 'file'> {
  const its = await stat(path).catch(() => undefined)
  if (its === undefined) return 'none'
  return its.isDirectory() ? 'folder' : 'file'
}

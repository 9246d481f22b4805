import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { isCode } from './write-once.ts'

export interface CountedFolder {
  readonly path: string
  /** what a file counts for at least; a tiny one takes a block of the disk too */
  readonly leastBytes: number
}

export interface FolderSize {
  bytes(): Promise<number>
  /** what this process has written; of what others write and delete, the next look tells */
  add(bytes: number): void
}

const LOOK_AFTER_MS = 10_000
/** Of ten thousand images a look takes some tenths of a second; it must stay a small part of all the time. */
const TIMES_ITS_DURATION = 50

/**
 * The bytes of all files that lie directly in these folders. The first who asks waits for a look at them; later looks
 * are beside the answer, which is the last count and what has been added since.
 */
export function createFolderSize(folders: readonly CountedFolder[], lookAfterMs = LOOK_AFTER_MS): FolderSize {
  let found: number | undefined
  let added = 0
  let looking: Promise<void> | undefined
  let nextLook = 0

  const look = async () => {
    const start = performance.now()
    const before = added
    try {
      let bytes = 0
      for (const folder of folders) bytes += await bytesIn(folder)
      found = bytes
      // What was added meanwhile may have been found too: rather counted twice than not at all.
      added -= before
    } finally {
      const end = performance.now()
      nextLook = end + Math.max(lookAfterMs, (end - start) * TIMES_ITS_DURATION)
      looking = undefined
    }
  }
  return {
    async bytes() {
      if (looking === undefined && (found === undefined || performance.now() >= nextLook)) {
        looking = look()
        // A later one is waited for by nobody. Where a folder cannot be read, the last count still holds.
        looking.catch(() => undefined)
      }
      if (found === undefined) await looking
      return (found ?? 0) + added
    },
    add(bytes) {
      added += bytes
    },
  }
}

async function bytesIn({ path, leastBytes }: CountedFolder): Promise<number> {
  let bytes = 0
  try {
    for await (const { name } of await opendir(path)) {
      bytes += Math.max(leastBytes, await bytesOf(join(path, name)))
    }
  } catch (error) {
    // It begins with the first record.
    if (!isCode(error, 'ENOENT')) throw error
  }
  return bytes
}

async function bytesOf(path: string): Promise<number> {
  try {
    const stat = await lstat(path)
    return stat.isDirectory() ? 0 : stat.size
  } catch (error) {
    // It has been renamed or deleted since it was listed.
    if (isCode(error, 'ENOENT')) return 0
    throw error
  }
}

import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { isCode } from './write-once.ts'

export interface CountedFolder {
  readonly path: string
  /** the least that a file counts: even a tiny file takes a block of the disk */
  readonly leastBytes: number
}

export interface FolderSize {
  bytes(): Promise<number>
  /** Counts bytes that this process has written. The next scan finds what other processes have written or deleted. */
  add(bytes: number): void
}

const SCAN_AFTER_MS = 10_000
/** A scan of ten thousand images takes some tenths of a second, and must take only a small part of the time. */
const TIMES_ITS_DURATION = 50

/**
 * The size of all files directly in these folders. The first call waits for a scan; later scans run in the background,
 * and a call gets the result of the last scan plus the bytes added since.
 */
export function createFolderSize(folders: readonly CountedFolder[], scanAfterMs = SCAN_AFTER_MS): FolderSize {
  let found: number | undefined
  let added = 0
  let scanning: Promise<void> | undefined
  let nextScan = 0

  const scan = async () => {
    const start = performance.now()
    const before = added
    try {
      let bytes = 0
      for (const folder of folders) bytes += await bytesIn(folder)
      found = bytes
      // Bytes added during the scan may be counted twice, which is safer than not at all.
      added -= before
    } finally {
      const end = performance.now()
      nextScan = end + Math.max(scanAfterMs, (end - start) * TIMES_ITS_DURATION)
      scanning = undefined
    }
  }
  return {
    async bytes() {
      if (scanning === undefined && (found === undefined || performance.now() >= nextScan)) {
        scanning = scan()
        // No call waits for a later scan. If a folder cannot be read, the last result stays valid.
        scanning.catch(() => undefined)
      }
      if (found === undefined) await scanning
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
    // The folder is made with the first record.
    if (!isCode(error, 'ENOENT')) throw error
  }
  return bytes
}

async function bytesOf(path: string): Promise<number> {
  try {
    const stat = await lstat(path)
    return stat.isDirectory() ? 0 : stat.size
  } catch (error) {
    // The file has been renamed or deleted since it was listed.
    if (isCode(error, 'ENOENT')) return 0
    throw error
  }
}

import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { checksumOf, type Published } from './checksum.ts'
import { DownloadError } from './download-error.ts'

/** The source of a `.part`: only bytes of the same version of the same file may be appended. */
export interface Origin {
  readonly url: string
  readonly validator: string | undefined
}

export const partOf = (path: string): string => `${path}.part`
const originOf = (path: string): string => `${partOf(path)}.from`

/** The number of bytes of `path` that are there already, and the validator that the server sent with them. */
export async function resumable(
  path: string,
  { url, bytes, ...published }: Published & { url: string; bytes?: number | undefined },
): Promise<{ have: number; validator: string | undefined }> {
  const nothing = { have: 0, validator: undefined }
  const have = await sizeOf(partOf(path))
  const origin = await readOrigin(path)
  if (have === undefined || origin?.url !== url) return nothing
  // Without a validator, only the checksum can show that the server's file has changed.
  if (origin.validator === undefined && !checksumOf(published)) return nothing
  return bytes !== undefined && have > bytes ? nothing : { have, validator: origin.validator }
}

/** Begins a new part. Emptied before the origin is written: a crash must not leave old bytes under a new origin. */
export async function beginPart(path: string, origin: Origin): Promise<void> {
  await writeFile(partOf(path), '')
  await writeFile(originOf(path), JSON.stringify(origin))
}

export async function dropPart(path: string): Promise<void> {
  for (const file of [partOf(path), originOf(path)]) await rm(file, { force: true })
}

/**
 * Gives a complete part its final name, after its bytes have reached the disk. A file that the user has put there in
 * the meantime is not replaced.
 */
export async function finishPart(path: string): Promise<void> {
  if ((await sizeOf(path)) !== undefined) {
    throw new DownloadError('disk', 'another file of this name has appeared meanwhile')
  }
  await syncToDisk(partOf(path), 'r+')
  await rename(partOf(path), path)
  await rm(originOf(path), { force: true })
  // Ignored: Windows cannot open a folder, and need not.
  await syncToDisk(dirname(path), 'r').catch(() => {})
}

export async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size
}

async function readOrigin(path: string): Promise<Origin | undefined> {
  try {
    const { url, validator } = JSON.parse(await readFile(originOf(path), 'utf8')) as Partial<Origin>
    if (typeof url !== 'string') return undefined
    return { url, validator: typeof validator === 'string' ? validator : undefined }
  } catch {
    return undefined
  }
}

async function syncToDisk(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import type { Checksum, Published } from './checksum.ts'

const READ_BYTES = 2 ** 20

/** The checksums of a file, and the state (size and times) that the file had when it was read. */
interface Known extends Published {
  state: string
}

/** The checksum of a file, stored beside the file so that a later start need not read half a gigabyte again. */
export async function knownChecksum(
  file: string,
  algorithm: Checksum['algorithm'],
  signal?: AbortSignal,
): Promise<Checksum> {
  const state = await stateOf(file)
  const known = await recall(file)
  const stored = known?.state === state ? known[algorithm] : undefined
  if (stored !== undefined) return { algorithm, digest: stored }
  const found = await checksumOfFile(file, algorithm, signal)
  // Not stored if the file changed during the read.
  if ((await stateOf(file)) === state) await remember(file, found, state)
  return found
}

/** Stores a checksum that is known already, such as that of a file just downloaded. */
export async function rememberChecksum(file: string, checksum: Checksum): Promise<void> {
  await remember(file, checksum, await stateOf(file))
}

export async function checksumOfFile(
  file: string,
  algorithm: Checksum['algorithm'],
  signal?: AbortSignal,
): Promise<Checksum> {
  const hash = createHash(algorithm)
  const stream = createReadStream(file, { highWaterMark: READ_BYTES, ...(signal && { signal }) })
  for await (const chunk of stream) hash.update(chunk)
  return { algorithm, digest: hash.digest('hex') }
}

/** Includes ctime, since a copied file may keep the mtime of another, but never its ctime. */
async function stateOf(file: string): Promise<string> {
  const { size, mtimeMs, ctimeMs } = await stat(file)
  return `${size} ${mtimeMs} ${ctimeMs}`
}

async function recall(file: string): Promise<Known | undefined> {
  try {
    const { md5, sha256, state } = JSON.parse(await readFile(`${file}.checked`, 'utf8')) as Partial<Known>
    const isText = (value: unknown) => value === undefined || typeof value === 'string'
    return isText(md5) && isText(sha256) && typeof state === 'string' ? { md5, sha256, state } : undefined
  } catch {
    // Missing or unreadable: the file is hashed again.
    return undefined
  }
}

/** Errors are ignored: in a folder that cannot be written, the next start only takes longer. */
async function remember(file: string, { algorithm, digest }: Checksum, state: string): Promise<void> {
  const temporary = `${file}.checked.${process.pid}`
  try {
    await writeFile(temporary, JSON.stringify({ [algorithm]: digest, state }))
    await rename(temporary, `${file}.checked`)
  } catch {}
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'

const READ_BYTES = 2 ** 20

/** What is remembered beside a file that was read once: its hash, and how it looked then. */
interface KnownMd5 {
  md5: string
  state: string
}

/** The MD5 of a file, remembered beside the file: a start does not read half a gigabyte to learn that nothing changed. */
export async function knownMd5(file: string, signal?: AbortSignal): Promise<string> {
  const state = await stateOf(file)
  const known = await recall(file)
  if (known?.state === state) return known.md5
  const found = await md5OfFile(file, signal)
  // One that changed while it was read is not remembered.
  if ((await stateOf(file)) === state) await remember(file, { md5: found, state })
  return found
}

/** For a file whose MD5 is known already, such as one that was just downloaded. */
export async function rememberMd5(file: string, md5: string): Promise<void> {
  await remember(file, { md5, state: await stateOf(file) })
}

export async function md5OfFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('md5')
  const stream = createReadStream(file, { highWaterMark: READ_BYTES, ...(signal && { signal }) })
  for await (const chunk of stream) hash.update(chunk)
  return hash.digest('hex')
}

/** The time of change of the inode is what a copy that keeps the other times cannot keep. */
async function stateOf(file: string): Promise<string> {
  const { size, mtimeMs, ctimeMs } = await stat(file)
  return `${size} ${mtimeMs} ${ctimeMs}`
}

async function recall(file: string): Promise<KnownMd5 | undefined> {
  try {
    const { md5, state } = JSON.parse(await readFile(`${file}.checked`, 'utf8')) as Partial<KnownMd5>
    return typeof md5 === 'string' && typeof state === 'string' ? { md5, state } : undefined
  } catch {
    // Not there, or not readable: the file is hashed again.
    return undefined
  }
}

/** A folder that cannot be written costs time at the next start, nothing else. */
async function remember(file: string, memory: KnownMd5): Promise<void> {
  const temporary = `${file}.checked.${process.pid}`
  try {
    await writeFile(temporary, JSON.stringify(memory))
    await rename(temporary, `${file}.checked`)
  } catch {}
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'

const READ_BYTES = 2 ** 20

/** The MD5 of a file, and the state (size and times) that the file had when it was read. */
interface KnownMd5 {
  md5: string
  state: string
}

/** The MD5 of a file, stored beside the file so that a later start need not read half a gigabyte again. */
export async function knownMd5(file: string, signal?: AbortSignal): Promise<string> {
  const state = await stateOf(file)
  const known = await recall(file)
  if (known?.state === state) return known.md5
  const found = await md5OfFile(file, signal)
  // Not stored if the file changed during the read.
  if ((await stateOf(file)) === state) await remember(file, { md5: found, state })
  return found
}

/** Stores an MD5 that is known already, such as that of a file just downloaded. */
export async function rememberMd5(file: string, md5: string): Promise<void> {
  await remember(file, { md5, state: await stateOf(file) })
}

export async function md5OfFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('md5')
  const stream = createReadStream(file, { highWaterMark: READ_BYTES, ...(signal && { signal }) })
  for await (const chunk of stream) hash.update(chunk)
  return hash.digest('hex')
}

/** Includes ctime, since a copied file may keep the mtime of another, but never its ctime. */
async function stateOf(file: string): Promise<string> {
  const { size, mtimeMs, ctimeMs } = await stat(file)
  return `${size} ${mtimeMs} ${ctimeMs}`
}

async function recall(file: string): Promise<KnownMd5 | undefined> {
  try {
    const { md5, state } = JSON.parse(await readFile(`${file}.checked`, 'utf8')) as Partial<KnownMd5>
    return typeof md5 === 'string' && typeof state === 'string' ? { md5, state } : undefined
  } catch {
    // Missing or unreadable: the file is hashed again.
    return undefined
  }
}

/** Errors are ignored: in a folder that cannot be written, the next start only takes longer. */
async function remember(file: string, memory: KnownMd5): Promise<void> {
  const temporary = `${file}.checked.${process.pid}`
  try {
    await writeFile(temporary, JSON.stringify(memory))
    await rename(temporary, `${file}.checked`)
  } catch {}
}

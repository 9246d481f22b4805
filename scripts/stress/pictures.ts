import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { imageKind } from '../../lib/image/image-kind.ts'
import { CommandError, EXIT } from '../shared/command-error.ts'
import { markPicture } from '../shared/mark-picture.ts'
import type { Picture } from '../shared/picture.ts'

const MAX_FILES = 1000
/** All pictures stay in memory, so that no disk slows the tester down. */
const MAX_BYTES = 512 * 2 ** 20

/** The images of a folder, by their content, in the order of their names. */
export function picturesIn(folder: string, { maxFiles = MAX_FILES, maxBytes = MAX_BYTES } = {}): Picture[] {
  const files = namesIn(folder).map((name) => ({ name, path: join(folder, name) }))
  const pictures: Picture[] = []
  let total = 0
  for (const { name, path } of files) {
    const { size } = statSync(path)
    const bytes = readFileSync(path)
    const kind = imageKind(bytes)
    if (kind === undefined) continue
    total += size
    if (pictures.length >= maxFiles) throw wrong(folder, `holds more than ${maxFiles} images`)
    if (total > maxBytes) throw wrong(folder, `holds more than ${maxBytes} bytes of images`)
    pictures.push({ bytes, name, type: kind.type })
  }
  if (pictures.length === 0) throw wrong(folder, 'holds no image')
  return pictures
}

/**
 * One picture after the other, over and over. Each copy is marked with a number of its own, as the server keeps its
 * answers under the digest of the bytes. With `same`, the pictures stay as they are.
 */
export function pictureSource(pictures: readonly Picture[], same: boolean): () => Picture {
  // A second test of the same server must not begin with the numbers of the first.
  const run = `${Date.now().toString(36)}-${process.pid}`
  let count = 0
  return () => {
    const picture = pictures[count++ % pictures.length]
    if (picture === undefined) throw new Error('there is no picture')
    return same ? picture : { ...picture, bytes: markPicture(picture.bytes, `${run}-${count}`) }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort()
  } catch (error) {
    throw wrong(folder, `cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function wrong(folder: string, what: string): CommandError {
  return new CommandError(`The folder of --images, "${folder}", ${what}.`, EXIT.usage)
}

import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { isAddress } from '../library/read-picture.ts'
import { expandPattern } from './expand-pattern.ts'

/** The name of standard input. */
export const STANDARD_INPUT = '-'
/** The files of a folder that are taken for pictures. Named files are tried whatever their name. */
const PICTURE = new Set(['.avif', '.bmp', '.gif', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp'])

/**
 * The pictures that the words of a command line name, in their order: files, the pictures in folders and in the folders
 * inside, patterns, addresses, and "-" for standard input.
 */
export async function picturesNamed(words: readonly string[]): Promise<string[]> {
  const names: string[] = []
  // One word after the other: a hundred folders that are read at the same time need too many descriptors.
  for (const word of words) names.push(...(await picturesOf(word)))
  return names
}

async function picturesOf(word: string): Promise<string[]> {
  if (word === STANDARD_INPUT || isAddress(word)) return [word]
  const found = await expandPattern(word)
  const names: string[] = []
  for (const path of found) {
    const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false
    if (isFolder) names.push(...(await picturesIn(path)))
    else names.push(path)
  }
  return names
}

async function picturesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(
      (entry) =>
        !entry.isDirectory() && !entry.name.startsWith('.') && PICTURE.has(extname(entry.name).toLowerCase()),
    )
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

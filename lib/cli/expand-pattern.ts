import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Whether a word has * or ?. Some shells leave patterns to the program, and all shells leave quoted ones. */
export const isPattern = (word: string): boolean => /[*?]/.test(word)

/**
 * The files that a word names: the file of exactly this name, or else the files of one folder that match the pattern.
 * A pattern without a match stays as it is, so that the read error shows the pattern.
 */
export async function expandPattern(word: string): Promise<string[]> {
  if (!isPattern(word) || existsSync(word)) return [word]
  const fits = matcher(basename(word))
  const names = await readdir(dirname(word)).catch((): string[] => [])
  const found = names.filter(fits).sort()
  // "./*.png" finds "./a.png", "*.png" finds "a.png".
  const folder = word.slice(0, word.length - basename(word).length)
  return found.length > 0 ? found.map((name) => (folder === '' ? name : join(folder, name))) : [word]
}

function matcher(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    // Stars in a row mean the same as one star, but the regular expression would try every way to divide a text.
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.')
  const regex = new RegExp(`^${source}$`, 's')
  // As in a shell, only a pattern that begins with a dot matches hidden files.
  return (name) => (!name.startsWith('.') || pattern.startsWith('.')) && regex.test(name)
}

import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Whether a word may be a pattern, which some shells leave to the program and quotes keep from all of them. */
export const isPattern = (word: string): boolean => /[*?]/.test(word)

/**
 * The files that a word means: itself, or, when there is no file called so, those of one folder that fit its * and ?.
 * A pattern that fits none stays as it is, so that reading it fails under its own name.
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
    // Several stars in a row mean one, and as several they would be tried in every division among them.
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.')
  const regex = new RegExp(`^${source}$`, 's')
  // As in a shell, a file that hides itself has to be asked for.
  return (name) => (!name.startsWith('.') || pattern.startsWith('.')) && regex.test(name)
}

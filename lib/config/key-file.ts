import { readFileSync } from 'node:fs'
import { secretList } from './setting-kinds.ts'

/** The keys in the file of API_KEYS_FILE, or the rest of the sentence "API_KEYS_FILE must …". */
export function readKeyFile(path: string): readonly string[] | string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error
    return `name a file that can be read, but reading "${path}" fails with ${code}.`
  }
  const kind = secretList()
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '')
  const keys = kind.parse(entries.join(','))
  // An empty file must not open the service to all clients.
  if (keys === undefined || keys.length === 0)
    return `name a file with ${kind.bounds}, but "${path}" has something else.`
  return keys
}

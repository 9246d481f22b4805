import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from './temporary-folder.ts'

const DIGITS = fileURLToPath(new URL('../../weights/digits', import.meta.url))

/** A model of the user's own: the network of the digits, with these settings beside it. */
export function ownModel(name: string, settings: object): string {
  const folder = temporaryFolder()
  cpSync(DIGITS, join(folder, name), { recursive: true })
  // The user's settings alone say what the network is for.
  rmSync(join(folder, name, 'settings.json'))
  const ten = Array.from({ length: 10 }, (_, i) => i)
  writeFileSync(join(folder, 'digits.txt'), ten.join('\n'))
  writeFileSync(join(folder, 'labels.txt'), ten.map((i) => `thing ${i}`).join('\n'))
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(settings))
  return `${name}=${join(folder, name, 'model.json')}`
}

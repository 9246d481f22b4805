import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from './temporary-folder.ts'

const DIGITS = fileURLToPath(new URL('../../weights/digits', import.meta.url))

/** Copies the network of the digits, without the settings that say what it is for. */
export function copyDigits(folder: string, name: string): void {
  cpSync(DIGITS, join(folder, name), { recursive: true })
  rmSync(join(folder, name, 'settings.json'))
}

/** A model of the user's own: the network of the digits, with these settings beside it. */
export function ownModel(name: string, settings: object): string {
  const folder = temporaryFolder()
  copyDigits(folder, name)
  const ten = Array.from({ length: 10 }, (_, i) => i)
  writeFileSync(join(folder, 'digits.txt'), ten.join('\n'))
  writeFileSync(join(folder, 'labels.txt'), ten.map((i) => `thing ${i}`).join('\n'))
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(settings))
  return `${name}=${join(folder, name, 'model.json')}`
}

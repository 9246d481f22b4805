import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { contentName } from './corpus.ts'
import type { Fault } from './target.ts'

export interface Crasher {
  readonly fault: Fault
  readonly input: Buffer
  readonly foundBytes: number
  readonly seed: number
  readonly index: number
  /** Whether the input failed again when it was tried alone. */
  readonly again: boolean
}

/** Writes the input and a text beside it. Gives the line that tries the input again. */
export function saveCrasher(folder: string, kind: string, crasher: Crasher, extension: string): string {
  mkdirSync(folder, { recursive: true })
  const { fault, input, foundBytes, seed, index, again } = crasher
  const file = join(folder, `${kind}-${contentName(input)}${extension}`)
  const line = `npm run fuzz -- ${kind} --file ${relative('', file)}`
  writeFileSync(file, input)
  const text = [
    `${fault.kind}: ${fault.cause}`,
    `Try it again: ${line}`,
    `Found with seed ${seed} as input ${index}: ${foundBytes} bytes, minimised to ${input.length}.`,
    again ? '' : 'Alone, the input did not fail a second time: the cause may lie in the inputs before it.\n',
    fault.text,
    '',
  ]
  writeFileSync(`${file}.txt`, text.join('\n'))
  return line
}

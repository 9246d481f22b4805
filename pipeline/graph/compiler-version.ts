import { createHash } from 'node:crypto'

/** Raise this with every change of the compiler's output: models compiled by another version are compiled again. */
export const COMPILER_VERSION = 5

/** The folder of a compiled model. A key of any form makes a name of one form. */
export function compiledName(key: string): string {
  return `${createHash('sha256').update(key).digest('hex').slice(0, 32)}-v${COMPILER_VERSION}`
}

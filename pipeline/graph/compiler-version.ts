import { createHash } from 'node:crypto'

/** Raised by whoever changes what comes out of the compiler: models compiled by another version are compiled anew. */
export const COMPILER_VERSION = 1

/** The folder of a compiled model. A key of any form makes a name of one form. */
export function compiledName(key: string): string {
  return `${createHash('sha256').update(key).digest('hex').slice(0, 32)}-v${COMPILER_VERSION}`
}

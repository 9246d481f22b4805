import { fileURLToPath } from 'node:url'
import { type Label, plainLabel } from './labels.ts'
import { packagedFile } from './packaged-file.ts'

export const DIGITS: readonly Label[] = Array.from({ length: 10 }, (_, digit) => plainLabel(String(digit)))

/**
 * The folders of the models whose weights are part of the package, so that no download is needed. The settings are in the
 * folders too: a copy of a folder is served as the packaged model is.
 */
export const builtIns: ReadonlyMap<string, string> = new Map([
  ['digits', fileURLToPath(packagedFile('weights/digits'))],
])

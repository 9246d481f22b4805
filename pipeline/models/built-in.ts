import { fileURLToPath } from 'node:url'
import { type Label, plainLabel } from './labels.ts'
import type { ModelSettings } from './model-settings.ts'
import { packagedFile } from './packaged-file.ts'

/** A model whose weights are part of the package, so that it is served without a download. */
export interface BuiltIn {
  readonly name: string
  readonly path: string
  readonly settings: ModelSettings
}

export const DIGITS: readonly Label[] = Array.from({ length: 10 }, (_, digit) => plainLabel(String(digit)))

const ENTRIES: readonly BuiltIn[] = [
  {
    name: 'digits',
    path: fileURLToPath(packagedFile('weights/digits')),
    settings: {
      labels: DIGITS,
      labelsFile: 'the list of digits',
      preprocessing: 'unit',
      subject: 'digit',
      top: DIGITS.length,
    },
  },
]

export const builtIns: ReadonlyMap<string, BuiltIn> = new Map(ENTRIES.map((entry) => [entry.name, entry]))

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Test data beside the repository: made with Keras, and photographs. Tests that need it are skipped where it is absent. */
export const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url))

export const hasShared = existsSync(join(SHARED, 'golden', 'README.md'))

export const shared = (...path: string[]): string => join(SHARED, ...path)

/** `describe` that runs where the data is, and is counted as skipped, with the reason in its title, where it is not. */
export function describeWithShared(title: string, tests: (this: Mocha.Suite) => void): void {
  if (hasShared) describe(title, tests)
  else describe.skip(`${title} (skipped: there is no folder ../shared)`, tests)
}

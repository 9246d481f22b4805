import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Data beside the repository that may not be distributed: a trained model, photographs, handwritten digits. */
const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url))

const hasShared = existsSync(join(SHARED, 'data', 'README.md'))

export const shared = (...path: string[]): string => join(SHARED, ...path)

/**
 * `describe` for tests that need the data, and are skipped without it. The title names the data, so that
 * `--grep ../shared` selects these tests.
 */
export function describeWithShared(title: string, tests: (this: Mocha.Suite) => void): void {
  if (hasShared) describe(`${title} (with ../shared)`, tests)
  else describe.skip(`${title} (skipped: there is no folder ../shared)`, tests)
}

/** The same for a single test. */
export function itWithShared(title: string, test: Mocha.AsyncFunc): void {
  if (hasShared) it(`${title} (with ../shared)`, test)
  else it.skip(`${title} (skipped: there is no folder ../shared)`, test)
}

import { createRequire } from 'node:module'

/** Found by the package's own name, because a build lies one folder deeper than the sources. */
const { version } = createRequire(import.meta.url)('tandem-serve/package.json') as { version: string }

export const VERSION = version

import { writeFile } from 'node:fs/promises'
import { publicTypes } from './public-types.ts'

/** `npx tsx scripts/write-public-types.ts` renews the snapshot after a change of the public types that is meant. */
await writeFile(new URL('../test/public-types.txt', import.meta.url), await publicTypes())

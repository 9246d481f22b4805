import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { publicTypes } from '../scripts/public-types.ts'

describe('The public types of the package', () => {
  it('are those of test/public-types.txt; "npx tsx scripts/write-public-types.ts" renews the file', async () => {
    const known = readFileSync(new URL('./public-types.txt', import.meta.url), 'utf8')
    expect(await publicTypes()).to.equal(known)
  })
})

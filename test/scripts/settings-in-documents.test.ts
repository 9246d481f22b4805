import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { SETTINGS } from '../../lib/config/settings.ts'
import { DOCUMENTS, withSettings } from '../../scripts/settings-in-documents.ts'

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
const rowsIn = (document: string) => [...document.matchAll(/^\| `([A-Z_]+)` \| `--/gm)].map(([, env]) => env)

describe('The tables of settings', () => {
  for (const name of DOCUMENTS) {
    it(`in ${name} are as lib/config/settings.ts has them`, () => {
      expect(read(name), 'out of date: run `npm run settings`').to.equal(withSettings(name, read(name)))
    })
  }

  it('hold every setting once in docs/settings.md, and ten in the README', () => {
    const all = Object.values(SETTINGS).map(({ env }) => env)
    expect(rowsIn(read('docs/settings.md')))
      .to.have.members(all)
      .and.have.length(all.length)
    expect(rowsIn(read('README.md'))).to.have.length(10)
  })

  it('must have their place, and name settings that exist', () => {
    expect(() => withSettings('x.md', 'nothing')).to.throw('x.md must have the markers <!-- settings -->')
    expect(() => withSettings('x.md', '<!-- settings PORTT -->\n<!-- /settings -->')).to.throw(
      'There is no setting PORTT.',
    )
  })
})

import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { SETTINGS } from '../../../lib/config/settings.ts'
import { settingsTable } from '../../../lib/config/settings-table.ts'

describe('README.md', () => {
  it('has the table of settings as it is in lib/config/settings.ts', () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
    const [, table] = /<!-- settings -->\n([\s\S]*?)\n<!-- \/settings -->/.exec(readme) ?? []
    expect(table, 'out of date: run `npm run settings`').to.equal(settingsTable(SETTINGS))
  })
})

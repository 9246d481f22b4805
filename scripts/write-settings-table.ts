import { readFileSync, writeFileSync } from 'node:fs'
import { SETTINGS } from '../lib/config/settings.ts'
import { settingsTable } from '../lib/config/settings-table.ts'

// `npm run settings`: writes the table of settings into the README, between its two markers.
const README = new URL('../README.md', import.meta.url)
const MARKED = /(<!-- settings -->\n)[\s\S]*?(<!-- \/settings -->)/

const readme = readFileSync(README, 'utf8')
if (!MARKED.test(readme))
  throw new Error('README.md has no <!-- settings --> ... <!-- /settings --> to write between.')
writeFileSync(
  README,
  readme.replace(MARKED, (_, open: string, close: string) => `${open}${settingsTable(SETTINGS)}\n${close}`),
)

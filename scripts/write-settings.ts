import { readFileSync, writeFileSync } from 'node:fs'
import { DOCUMENTS, withSettings } from './settings-in-documents.ts'

// `npm run settings`: writes the tables of settings into the documents, between their markers.
for (const name of DOCUMENTS) {
  const file = new URL(`../${name}`, import.meta.url)
  writeFileSync(file, withSettings(name, readFileSync(file, 'utf8')))
}

import { catalog } from '../../../pipeline/models/catalog.ts'
import { compareCatalog, compareConfiguration, OTHERS } from '../../support/compare-applications.ts'
import { hasGolden } from '../../support/golden.ts'

describe('the networks of the catalog with synthetic weights', () => {
  for (const entry of [...catalog.values()].filter(hasGolden)) {
    it(`gives the numbers of Keras from the bytes of an image: ${entry.name}`, async function () {
      this.timeout(60_000)
      await compareCatalog(entry)
    })
  }
})

describe('networks of Keras, from their configuration, with synthetic weights', () => {
  for (const name of Object.keys(OTHERS) as (keyof typeof OTHERS)[]) {
    it(`gives the numbers of Keras from the bytes of an image: ${name}`, async function () {
      this.timeout(60_000)
      await compareConfiguration(name)
    })
  }
})

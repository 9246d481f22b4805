import { catalog } from '../../../pipeline/models/catalog.ts'
import { compareCatalog, compareConfiguration } from '../../support/compare-applications.ts'

/* Small networks. The slow tests compare all. */
describe('small networks with synthetic weights', () => {
  for (const name of ['mobilenet', 'mobilenet_v2']) {
    it(`gives the numbers of Keras from the bytes of an image: ${name}`, async function () {
      this.timeout(60_000)
      const entry = catalog.get(name)
      if (!entry) throw new Error(`${name} is not in the catalog`)
      await compareCatalog(entry)
    })
  }

  for (const name of ['efficientnet_b0', 'mobilenet_v3_small'] as const) {
    it(`gives the numbers of Keras, from its configuration: ${name}`, async function () {
      this.timeout(60_000)
      await compareConfiguration(name)
    })
  }
})

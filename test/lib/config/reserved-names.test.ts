import { expect } from 'chai'
import { RESERVED_NAMES } from '../../../lib/config/setting-kinds.ts'
import { type Service, startService } from '../../support/service.ts'

describe('The names that no model can have', () => {
  let service: Service
  before(async () => {
    service = await startService({ MODELS: 'digits' })
  })
  after(() => service.stop())

  it('are the first segments of all paths that are served beside the models', async () => {
    const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as { paths: object }
    // "openapi.json" and the like hold a dot, which is in no name.
    const words = Object.keys(paths).map((path) => /^\/([\w-]*)/.exec(path)?.[1] ?? '')
    const served = new Set(words.filter((word) => word !== '' && word !== 'digits'))
    expect([...served].filter((word) => !RESERVED_NAMES.includes(word))).to.deep.equal([])
    expect(served.size).to.be.greaterThan(8)
  })
})

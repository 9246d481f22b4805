import { expect } from 'chai'
import { scripted, startService } from '../../support/service.ts'

const GUESS = { index: 0, label: 'cat', name: 'cat', full: 'cat', probability: 1 }
const PAGES = ['/', '/vgg', '/status', '/docs', '/feedback', '/nothing']

describe('The pages', () => {
  for (const name of ['pets', 'digits']) {
    it(`have no dead links, with a model called ${name}`, async () => {
      const env = scripted({ answer: [GUESS] })
      const service = await startService({ ...env, MODELS: String(env.MODELS).replace('model', name) })
      await service.ready()
      const linked = new Set<string>()
      for (const page of [...PAGES, `/${name}`]) {
        const answer = await fetch(service.url + page, { headers: { Accept: 'text/html' } })
        for (const [, path = ''] of (await answer.text()).matchAll(/(?:href|src)="(\/[^"]*)"/g))
          linked.add(path)
      }
      for (const path of linked) expect((await fetch(service.url + path)).status, path).to.equal(200)
      expect(linked.size).to.be.greaterThan(10)
      expect(linked.has('/digits')).to.equal(name === 'digits')
      await service.stop()
    })
  }
})

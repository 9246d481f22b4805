import { expect } from 'chai'
import { homePage } from '../../../lib/pages/home-page.ts'
import { words } from '../../support/markup.ts'

describe('The home page', () => {
  const site = { version: '1', pad: undefined, classifies: true }
  const dialect = {
    name: 'older-service',
    example: { says: 'Send a picture.', command: 'curl $URL', answer: '{}' },
    model: 'vgg16',
    missing: '',
  }
  const textWith = (count: number) =>
    words(
      homePage(site, {
        models: [],
        dialects: Array.from({ length: count }, () => dialect),
        upload: { model: 'vgg16', missing: '' },
        origin: 'http://127.0.0.1',
        notice: undefined,
        needsKey: false,
      }),
    )

  it('counts the API formats that it shows', () => {
    expect(textWith(5)).to.contain('Five API formats').and.contain('Clients of five older services')
    expect(textWith(6)).to.contain('Six API formats').and.contain('Clients of six older services')
    expect(textWith(11)).to.contain('11 API formats').and.contain('Clients of 11 older services')
  })
})

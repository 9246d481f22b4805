import { expect } from 'chai'
import { type FilePart, multipartAs } from '../../support/multipart-as.ts'
import { four } from '../../support/pictures.ts'
import { ask } from '../../support/raw-http.ts'
import { smallService } from '../../support/small-service.ts'

const ROUTES = [
  { path: '/vgg', fields: ['image', 'image'] },
  { path: '/vgg', fields: ['file', 'file'] },
  { path: '/vgg', fields: ['image', 'file'] },
  { path: '/digits', fields: ['image', 'image', 'image'] },
  { path: '/api/predict', fields: ['image', 'image'] },
  { path: '/predictlabel', fields: ['file', 'image'] },
  { path: '/predict', fields: ['file', 'file'] },
  { path: '/', fields: ['file', 'file'] },
] as const

describe('A form with two images where one is expected', () => {
  const small = smallService()

  for (const { path, fields } of ROUTES) {
    it(`is refused by ${path}, and the error names the fields: ${fields.join(', ')}`, async () => {
      const bytes = await four()
      const parts = fields.map((field): FilePart => ({ field, file: 'four.png', bytes }))
      const { headers, body } = multipartAs('requests', ...parts)
      const answer = await ask(small().url, `POST ${path}`, [...headers, 'Accept: application/json'], body)
      expect([answer.status, answer.headers.get('x-error-code')]).to.deep.equal([400, 'ERR_INPUT_AMBIGUOUS'])
      if (['/vgg', '/digits', '/api/predict', '/'].includes(path)) {
        const named = fields.map((field) => `\\"${field}\\"`).join(', ')
        expect(answer.text).to.contain(`the form has ${fields.length}: ${named}.`)
      }
    })
  }

  it('is accepted if all but one are empty or in fields that the route does not read', async () => {
    const bytes = await four()
    const more = [
      { field: 'image', file: '', bytes: '' },
      { field: 'file', file: '', bytes: '' },
      { field: 'mask', file: 'mask.png', bytes },
    ]
    const { headers, body } = multipartAs('requests', ...more, { field: 'image', file: 'four.png', bytes })
    const answer = await ask(small().url, 'POST /vgg', headers, body)
    expect(answer.text).to.contain('"label":"4"')
  })
})

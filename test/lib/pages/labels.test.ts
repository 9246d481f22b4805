import { expect } from 'chai'
import { request } from 'undici'
import { HOSTILE_LABEL, smallService } from '../../support/small-service.ts'

describe('GET /labels/<model>', () => {
  const running = smallService()
  const get = (model: string) => fetch(`${running().url}/labels/${model}`)

  it('lists the labels in the order of the outputs', async () => {
    const response = await get('hostile')
    expect(response.headers.get('Content-Type')).to.match(/^application\/json/)
    expect(await response.json()).to.deep.equal(Array.from({ length: 10 }, (_, i) => `${HOSTILE_LABEL} ${i}`))
  })

  it('is not sent again to a client that has it', async () => {
    const etag = String((await get('digits')).headers.get('ETag'))
    // fetch would add Cache-Control: no-cache, which forbids a 304.
    const status = async (model: string) => {
      const headers = { 'If-None-Match': etag }
      const { statusCode, body } = await request(`${running().url}/labels/${model}`, { headers })
      await body.dump()
      return statusCode
    }
    expect([await status('digits'), await status('hostile')]).to.deep.equal([304, 200])
  })

  it('answers 404 for an unknown model', async () => {
    const response = await get('__proto__')
    expect(response.status).to.equal(404)
    expect(response.headers.get('X-Error-Code')).to.equal('ERR_MODEL_UNKNOWN')
  })
})

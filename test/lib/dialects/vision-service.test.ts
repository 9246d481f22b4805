import { expect } from 'chai'
import { exactService } from '../../support/exact-service.ts'
import { CLIENT_NAMES, fileAs, multipartAs } from '../../support/multipart-as.ts'
import { four } from '../../support/pictures.ts'
import { ask, type RawAnswer } from '../../support/raw-http.ts'
import { smallService } from '../../support/small-service.ts'

interface Vision {
  success: true
  message: { predictions: { label: string; proba: number }[]; predicted_at: string }
}

const HELLO = '{"message":"Send files to /api/predict","success":true}'

describe('/api, for clients of vision-service', () => {
  const exact = exactService()
  const small = smallService()

  it('GET /api says where to send files, and HEAD answers with the same headers and no body', async () => {
    const answer = await ask(exact().url, 'GET /api')
    expect([answer.status, answer.text]).to.deep.equal([200, HELLO])
    expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8')
    const head = await ask(exact().url, 'HEAD /api')
    expect([head.status, head.text]).to.deep.equal([200, ''])
    expect(head.headers.get('content-length')).to.equal(String(HELLO.length))
  })

  it('GET / answers the same only if "Accept" prefers JSON', async () => {
    const greeted = async (...headers: string[]) => (await ask(exact().url, 'GET /', headers)).text === HELLO
    expect(await greeted('Accept: application/json')).to.equal(true)
    expect(await greeted('Accept: application/json, text/html;q=0.9, */*;q=0.1')).to.equal(true)
    expect(await greeted('Accept: text/html,application/xhtml+xml,*/*;q=0.8')).to.equal(false)
    expect(await greeted('Accept: */*')).to.equal(false)
    expect(await greeted()).to.equal(false)
  })

  it('answers with exactly the original shape: Keras names, the best first, in full precision', async () => {
    const { headers, body } = fileAs('requests', 'image', 'a dog', 'dog.jpg')
    const answer = await ask(exact().url, 'POST /api/predict', headers, body)
    expect(answer.status).to.equal(200)
    expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8')
    expect(answer.text.replace(/\d{8}_\d{6}/, 'NOW')).to.equal(
      '{"success":true,"message":{"predictions":[' +
        '{"label":"Eskimo_dog","proba":0.9345600008964539},' +
        '{"label":"tiger_cat","proba":0.32500001788139343},' +
        '{"label":"crane","proba":0.10000000149011612},' +
        '{"label":"crane","proba":1.3920588237681386e-8},' +
        '{"label":"maillot","proba":0}' +
        '],"predicted_at":"NOW"}}',
    )
  })

  it('tells the time of the prediction as local time', async () => {
    const { headers, body } = fileAs('requests', 'image', await four())
    const before = Math.floor(Date.now() / 1000)
    const { message } = (await ask(small().url, 'POST /api/predict', headers, body)).json() as Vision
    const [, year, month, day, hour, minute, second] =
      /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)$/.exec(message.predicted_at) ?? []
    const local = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000
    // St John's is two and a half hours behind Greenwich in summer, and three and a half in winter.
    expect([9000, 12_600]).to.include(Math.round((before - local) / 1800) * 1800)
    expect(Math.abs(((before - local + 900) % 1800) - 900)).to.be.lessThan(10)
  })

  for (const client of CLIENT_NAMES) {
    it(`reads the file of ${client}`, async () => {
      const { headers, body } = fileAs(client, 'image', await four(), 'Müller "4".png')
      const answer = await ask(small().url, 'POST /api/predict', headers, body)
      expect(answer.status, answer.text).to.equal(200)
      const { message } = answer.json() as Vision
      expect(message.predictions[0]?.label).to.equal('4')
      const probabilities = message.predictions.map(({ proba }) => proba)
      expect(probabilities).to.deep.equal([...probabilities].sort((a, b) => b - a))
    })
  }

  it('accepts an image as the body', async () => {
    const answer = await ask(small().url, 'POST /api/predict', ['Content-Type: image/png'], await four())
    expect((answer.json() as Vision).message.predictions[0]?.label).to.equal('4')
  })

  it('finds the file among other fields, at any position', async () => {
    const image = { field: 'image', file: 'four.png', bytes: await four() }
    const text = { field: 'comment', text: 'a four' }
    for (const parts of [
      [image, text],
      [text, image],
      [{ field: 'image', text: 'a four' }, image],
    ]) {
      const { headers, body } = multipartAs('requests', ...parts)
      expect((await ask(small().url, 'POST /api/predict', headers, body)).status).to.equal(200)
    }
  })

  it('takes ?top= and ?model=', async () => {
    const { headers, body } = fileAs('curl', 'image', 'a dog')
    const top = await ask(exact().url, 'POST /api/predict?top=2', headers, body)
    expect((top.json() as Vision).message.predictions).to.have.length(2)
    const other = await ask(exact().url, 'POST /api/predict?model=panda&top=1', headers, body)
    expect((other.json() as Vision).message.predictions[0]?.label).to.equal('giant_panda')
  })

  describe('says "No image found." with 400', () => {
    const form = 'Content-Type: application/x-www-form-urlencoded'
    const requests = [
      ['no body', [], undefined],
      ['an empty body', [form], ''],
      ['a form without a file', [form], 'image=dog.jpg'],
      ['JSON', ['Content-Type: application/json'], '{"image":"dog.jpg"}'],
      ['JSON of another name', ['Content-Type: application/vnd.api+json; charset=utf-8'], '[]'],
      ['broken JSON', ['Content-Type: application/json'], '{"image":'],
      ['an address, which this dialect does not take', [form], 'url=http://127.0.0.1/dog.jpg'],
    ] as const
    for (const [what, headers, body] of requests) {
      it(`to ${what}`, async () => {
        const answer = await ask(small().url, 'POST /api/predict?x=1', headers, body)
        expectError(answer, 400, `${small().url}/api/predict?x=1`, 'No image found.')
      })
    }

    const file = { field: 'image', file: 'dog.jpg', bytes: 'x' }
    const forms = [
      ['another field', multipartAs('requests', { ...file, field: 'file' })],
      ['a field of another case', multipartAs('requests', { ...file, field: 'Image' })],
      ['a text in the field', multipartAs('requests', { field: 'image', text: 'dog.jpg' })],
      ['a form in which no file was chosen', multipartAs('chrome', { ...file, file: '', bytes: '' })],
      ['an empty file', multipartAs('curl', { ...file, bytes: '' })],
      ['a form without parts', multipartAs('curl')],
    ] as const
    for (const [what, { headers, body }] of forms) {
      it(`to ${what}`, async () => {
        const answer = await ask(small().url, 'POST /api/predict', headers, body)
        expectError(answer, 400, `${small().url}/api/predict`, 'No image found.')
      })
    }
  })

  describe('answers errors in its own shape, also to browsers', () => {
    const browser = 'Accept: text/html'

    it('404 for every unknown path under /api', async () => {
      for (const path of ['/api/', '/api/nothing', '/api/predict/more', '/API/Nothing']) {
        const answer = await ask(small().url, `DELETE ${path}`, [browser])
        if (path === '/api/') expectError(answer, 405, small().url + path)
        else expectError(answer, 404, small().url + path)
      }
    })

    it('405 to other methods, with the allowed method', async () => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await ask(small().url, `${method} /api/predict`, [browser])
        expectError(answer, 405, `${small().url}/api/predict`)
        expect(answer.headers.get('allow')).to.equal('POST')
      }
      const answer = await ask(small().url, 'POST /api', [browser], 'x')
      expectError(answer, 405, `${small().url}/api`)
      expect(answer.headers.get('allow')).to.equal('GET, HEAD')
    })

    it('415 to a file that is no image, and 422 to a broken image', async () => {
      const picture = await four()
      for (const [bytes, status] of [
        ['no image', 415],
        ['<svg xmlns="http://www.w3.org/2000/svg"/>', 415],
        [picture.subarray(0, picture.length / 2), 422],
      ] as const) {
        const { headers, body } = fileAs('requests', 'image', bytes)
        const answer = await ask(small().url, 'POST /api/predict', [...headers, browser], body)
        expectError(answer, status, `${small().url}/api/predict`)
      }
    })

    it('404 to an unknown model, 400 to an invalid number of guesses', async () => {
      const { headers, body } = fileAs('requests', 'image', await four())
      for (const [query, status] of [
        ['model=none', 404],
        ['model=', 404],
        ['model=__proto__', 404],
        ['model=digits&model=digits', 400],
        ['top=0', 400],
        ['top=1001', 400],
        ['top=many', 400],
        ['top=1.5', 400],
      ] as const) {
        const answer = await ask(small().url, `POST /api/predict?${query}`, headers, body)
        expectError(answer, status, `${small().url}/api/predict?${query}`)
      }
    })

    it('400 to a malformed form, and 415 to an encoded form', async () => {
      const { headers, body } = fileAs('requests', 'image', await four())
      const cut = await ask(small().url, 'POST /api/predict', headers, body.subarray(0, -10))
      expectError(cut, 400, `${small().url}/api/predict`)
      const unbounded = await ask(
        small().url,
        'POST /api/predict',
        ['Content-Type: multipart/form-data'],
        'x',
      )
      expectError(unbounded, 400, `${small().url}/api/predict`)
      const zipped = await ask(small().url, 'POST /api/predict', [...headers, 'Content-Encoding: gzip'], body)
      expectError(zipped, 415, `${small().url}/api/predict`)
      expect(zipped.headers.get('accept-encoding')).to.equal('identity')
    })
  })
})

function expectError(answer: RawAnswer, status: number, url: string, message?: string): void {
  const body = answer.json() as Record<string, unknown>
  expect([answer.status, body.url], answer.text).to.deep.equal([status, url])
  expect(Object.keys(body)).to.deep.equal(['success', 'message', 'url'])
  expect(body.success).to.equal(false)
  expect(body.message).to.match(/^(?:[A-Z/]|\w+ m(?:ust|ay) ).{8,}\.$/)
  if (message !== undefined) expect(body.message).to.equal(message)
  expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8')
  expect(answer.headers.get('x-error-code')).to.match(/^ERR_/)
  expect(answer.headers.get('x-request-id')).to.match(/^[\w-]{21}$/)
}

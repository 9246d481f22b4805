import { expect } from 'chai'
import { exactService, HUSKY } from '../../support/exact-service.ts'
import { tags, words } from '../../support/markup.ts'
import { CLIENT_NAMES, fileAs, multipartAs } from '../../support/multipart-as.ts'
import { four } from '../../support/pictures.ts'
import { ask, type RawAnswer } from '../../support/raw-http.ts'
import { smallService } from '../../support/small-service.ts'

interface Answer {
  model: string
  predictions: {
    index: number
    label: string
    name: string
    full: string
    wnid?: string
    probability: number
  }[]
  timing: Record<string, number>
}

const BROWSER = 'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8'
const FORM = 'Content-Type: application/x-www-form-urlencoded'
const JSON_TYPE = 'Content-Type: application/json'

describe('/ and /vgg, for clients of tornado-compute', () => {
  const exact = exactService()
  const small = smallService()

  it('GET / is a page that describes the service and names its paths', async () => {
    const answer = await ask(exact().url, 'GET /', [BROWSER])
    expectPage(answer, 200)
    expect(words(answer.text)).to.match(/image|picture/i)
    for (const endpoint of ['/vgg', '/api/predict', '/api/infer', '/predictlabel', '/predict', '/docs']) {
      expect(answer.text).to.contain(endpoint)
    }
  })

  it('GET /vgg is a page with a form that posts "url" to /vgg', async () => {
    const answer = await ask(exact().url, 'GET /vgg', [BROWSER])
    expectPage(answer, 200)
    expectForm(answer)
    const head = await ask(exact().url, 'HEAD /vgg')
    expect([head.status, head.text, head.headers.get('content-type')]).to.deep.equal([
      200,
      '',
      'text/html; charset=utf-8',
    ])
  })

  describe('POST /vgg takes the address of an image', () => {
    it('in a form, in the query and in JSON', async () => {
      const { url, offer } = small()
      const address = offer(await four())
      const encoded = encodeURIComponent(address)
      const requests = [
        ['POST /vgg', [FORM], `url=${encoded}`],
        ['POST /vgg', [`${FORM}; charset=UTF-8`], `submit=Go&url=${address}`],
        [`POST /vgg?url=${encoded}`, [], undefined],
        [`POST /vgg?url=${encoded}`, [FORM], ''],
        [`POST /vgg?url=${address}`, ['Content-Type: application/json'], ''],
        ['POST /vgg', [JSON_TYPE], JSON.stringify({ url: address })],
        [
          'POST /vgg',
          ['Content-Type: application/ld+json; charset=utf-8'],
          JSON.stringify({ url: ` ${address}\n` }),
        ],
      ] as const
      for (const [line, headers, body] of requests) expectFour(await ask(url, line, headers, body))
      for (const client of CLIENT_NAMES) {
        const { headers, body } = multipartAs(client, { field: 'url', text: address })
        expectFour(await ask(url, 'POST /vgg', asProgram(headers), body))
      }
    })

    it('uses the first of two addresses, and a body before a query', async () => {
      const { url, offer } = small()
      const address = offer(await four())
      expectFour(await ask(url, 'POST /vgg', [FORM], `url=${address}&url=x`))
      expectFour(await ask(url, 'POST /vgg?url=x', [FORM], `url=${address}`))
      const often = `url=${address}${'&url=x'.repeat(60)}`
      expectFour(await ask(url, 'POST /vgg', [FORM], often))
      const { headers, body } = multipartAs(
        'curl',
        { field: 'url', text: address },
        { field: 'url', text: 'x' },
      )
      expectFour(await ask(url, 'POST /vgg', headers, body))
    })

    it('as a data URI', async () => {
      const base64 = (await four()).toString('base64')
      const uri = `data:image/png;base64,${base64}`
      expectFour(await ask(small().url, 'POST /vgg', [JSON_TYPE], JSON.stringify({ url: uri })))
      expectFour(await ask(small().url, 'POST /vgg', [FORM], `url=${encodeURIComponent(uri)}`))
    })
  })

  describe('POST /vgg takes the image itself', () => {
    for (const client of CLIENT_NAMES) {
      it(`as the file "image" or "file" of ${client}`, async () => {
        for (const field of ['image', 'file']) {
          const { headers, body } = fileAs(client, field, await four(), 'four.png')
          expectFour(await ask(small().url, 'POST /vgg', asProgram(headers), body))
        }
      })
    }

    it('as the body, whatever the Content-Type is', async () => {
      const types = [
        'image/png',
        'image/jpeg',
        'application/octet-stream',
        'application/x-www-form-urlencoded',
        'text/plain',
        'text/html',
        'application/json',
        'multipart/form-data',
        'nonsense',
      ]
      for (const type of types) {
        expectFour(await ask(small().url, 'POST /vgg', [`Content-Type: ${type}`], await four()))
      }
      expectFour(await ask(small().url, 'POST /vgg', [], await four()))
    })

    it('from curl, which waits for "100 Continue" before it sends a large body', async () => {
      const headers = [FORM, 'Expect: 100-continue', 'User-Agent: curl/7.64.1', 'Accept: */*']
      expectFour(await ask(small().url, 'POST /vgg', headers, await four()))
    })

    it('in preference to an address in the same form; uses the address if no file was chosen', async () => {
      const { url, offer } = small()
      const both = multipartAs(
        'chrome',
        { field: 'url', text: 'http://127.0.0.1/none' },
        { field: 'image', file: 'four.png', bytes: await four() },
      )
      expectFour(await ask(url, 'POST /vgg', asProgram(both.headers), both.body))
      const address = offer(await four())
      const none = multipartAs(
        'firefox',
        { field: 'image', file: '', bytes: '' },
        { field: 'url', text: address },
      )
      expectFour(await ask(url, 'POST /vgg', asProgram(none.headers), none.body))
    })
  })

  describe('POST /vgg answers', () => {
    const post = (...headers: string[]) => ask(exact().url, 'POST /vgg', headers, 'a dog')

    it('JSON with five predictions and the time that each step took', async () => {
      const answer = await post('Accept: */*')
      expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8')
      const { model, predictions, timing, ...rest } = answer.json() as Answer
      expect([answer.status, model, rest]).to.deep.equal([200, 'husky', {}])
      expect(predictions).to.deep.equal(HUSKY)
      expect(Object.keys(timing)).to.deep.equal(['queue', 'prepare', 'predict', 'total'])
      for (const ms of Object.values(timing)) expect(ms).to.be.within(0, 5000)
      expect(answer.text).to.match(
        /^\{"model":"husky","predictions":\[\{"index":248,"label":"Eskimo dog","name":"Eskimo_dog"/,
      )
      expect(answer.text).to.contain('"probability":0.32500001788139343}').and.contain('"probability":0}')
    })

    it('JSON unless "Accept" prefers another format', async () => {
      for (const accept of [
        [],
        ['Accept: */*'],
        ['Accept: application/json'],
        ['Accept: application/json, text/plain, */*'],
        ['Accept: application/*'],
        ['Accept: image/webp,*/*'],
      ]) {
        expect((await post(...accept)).headers.get('content-type')).to.equal(
          'application/json; charset=utf-8',
        )
      }
    })

    it('the full label alone if "Accept" prefers text', async () => {
      for (const accept of [
        'text/plain',
        'text/*;q=0.4, text/plain',
        'text/plain, */*',
        'text/plain;charset=utf-8',
      ]) {
        const answer = await post(`Accept: ${accept}`)
        expect([answer.status, answer.text]).to.deep.equal([200, 'Eskimo dog, husky'])
        expect(answer.headers.get('content-type')).to.equal('text/plain; charset=utf-8')
      }
    })

    it('the page with the result on it to a browser', async () => {
      const answer = await post(BROWSER)
      expectPage(answer, 200)
      expectForm(answer)
      expect(words(answer.text)).to.contain('Eskimo dog').and.contain('tiger cat')
    })

    it('406 in JSON if "Accept" allows none of the formats', async () => {
      for (const accept of ['image/png', 'application/xml', 'text/html;q=0']) {
        const answer = await post(`Accept: ${accept}`)
        expectError(answer, 406, 'ERR_NOT_ACCEPTABLE')
        expect(answer.text).to.contain('application/json').and.contain('text/plain')
      }
    })

    it('as many guesses as ?top= says, from the model that ?model= names', async () => {
      const top = (await ask(exact().url, 'POST /vgg?top=2', [], 'x')).json() as Answer
      expect(top.predictions).to.deep.equal(HUSKY.slice(0, 2))
      const other = (await ask(exact().url, 'POST /vgg?model=panda&top=1', [], 'x')).json() as Answer
      expect([other.model, other.predictions[0]?.label]).to.deep.equal(['panda', 'giant panda'])
      const text = await ask(exact().url, 'POST /vgg?model=panda', ['Accept: text/plain'], 'x')
      expect(text.text).to.equal('giant panda, panda, panda bear, coon bear, Ailuropoda melanoleuca')
    })
  })

  describe('POST /vgg answers with an error of its own', () => {
    it('with 400 without an image or address, for which the original predicted a built-in image', async () => {
      const requests = [
        [[], undefined],
        [[FORM], ''],
        [[FORM], 'url='],
        [[FORM], 'url=%20%20'],
        [[FORM], 'address=http://x'],
        [[JSON_TYPE], '{}'],
        [[JSON_TYPE], '{"url":5}'],
        [[JSON_TYPE], '{"url":["http://x"]}'],
        [[JSON_TYPE], '[]'],
        [['Content-Type: image/png'], ''],
      ] as const
      for (const [headers, body] of requests) {
        expectError(await ask(small().url, 'POST /vgg', headers, body), 400, 'ERR_INPUT_MISSING')
      }
      const { headers, body } = fileAs('chrome', 'image', '', '')
      const page = await ask(small().url, 'POST /vgg', headers, body)
      expectPage(page, 400)
      expect(words(page.text)).to.contain('ERR_INPUT_MISSING')
    })

    it('with 400 for an invalid address', async () => {
      for (const url of [
        'x',
        'ftp://127.0.0.1/x',
        'file:///etc/passwd',
        'http://',
        'data:',
        'http://127.0.0.1:1/',
      ]) {
        const answer = await ask(small().url, 'POST /vgg', [FORM], `url=${encodeURIComponent(url)}`)
        expectError(answer, 400, 'ERR_URL_INVALID')
      }
    })

    it('with 422 for an unreachable address, and 415 for the address of a file that is no image', async () => {
      const { url, offer } = small()
      const picture = await four()
      for (const [address, status, code] of [
        [offer('', '404 Not Found'), 422, 'ERR_URL_STATUS'],
        [offer('', '302 Found', ['Location: http://10.0.0.1/']), 422, 'ERR_URL_FETCH'],
        [offer('no image', '200 OK', ['Content-Type: image/png']), 415, 'ERR_IMAGE_TYPE'],
        [offer(picture.subarray(0, 150)), 422, 'ERR_IMAGE_DECODE'],
      ] as const) {
        expectError(await ask(url, 'POST /vgg', [FORM], `url=${address}`), status, code)
      }
    })

    it('with 404 to a model that is not served, 405 to other methods, 415 to an encoded body', async () => {
      const { url } = small()
      expectError(await ask(url, 'POST /vgg?model=none', [], await four()), 404, 'ERR_MODEL_UNKNOWN')
      const put = await ask(url, 'PUT /vgg', [], 'x')
      expectError(put, 405, 'ERR_METHOD_NOT_ALLOWED')
      expect(put.headers.get('allow')).to.equal('GET, HEAD, POST')
      const zipped = await ask(url, 'POST /vgg', ['Content-Encoding: gzip'], 'x')
      expectError(zipped, 415, 'ERR_UNSUPPORTED_MEDIA')
    })

    it('on a page, with the same status, to a browser', async () => {
      const page = await ask(small().url, 'POST /vgg', [FORM, BROWSER], 'url=nowhere')
      expectPage(page, 400)
      expect(words(page.text)).to.contain('ERR_URL_INVALID').and.contain('nowhere')
    })
  })
})

/** A script of a page asks as the browser does, but for JSON. */
function asProgram(headers: readonly string[]): string[] {
  return [...headers.filter((header) => !header.startsWith('Accept:')), 'Accept: application/json']
}

function expectFour(answer: RawAnswer): void {
  expect(answer.status, answer.text).to.equal(200)
  expect((answer.json() as Answer).predictions[0]?.label).to.equal('4')
}

function expectPage(answer: RawAnswer, status: number): void {
  expect(answer.status).to.equal(status)
  expect(answer.headers.get('content-type')).to.equal('text/html; charset=utf-8')
  expect(answer.text)
    .to.match(/^<!doctype html>/)
    .and.match(/<\/html>\s*$/)
}

function expectForm({ text }: RawAnswer): void {
  const form = tags(text, 'form').find(({ action = '' }) => action.replace(/#.*/, '') === '/vgg')
  expect(form?.method).to.equal('post')
  expect(tags(text, 'input').filter(({ name }) => name === 'url')).to.have.length(1)
}

function expectError(answer: RawAnswer, status: number, code: string): void {
  expect([answer.status, answer.headers.get('x-error-code')], answer.text).to.deep.equal([status, code])
  const { error, ...rest } = answer.json() as { error: Record<string, string> }
  expect(rest).to.deep.equal({})
  expect(Object.keys(error)).to.deep.equal(['code', 'message', 'requestId'])
  expect(error.code).to.equal(code)
  expect(error.message).to.match(/^(?:[A-Z/]|\w+ m(?:ust|ay) ).{8}/)
  expect(error.requestId).to.equal(answer.headers.get('x-request-id'))
}

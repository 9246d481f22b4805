import { expect } from 'chai'
import { exactService } from '../../support/exact-service.ts'
import { tags, words } from '../../support/markup.ts'
import { CLIENT_NAMES, fileAs, multipartAs } from '../../support/multipart-as.ts'
import { BLACK, four, WHITE } from '../../support/pictures.ts'
import { ask, type RawAnswer } from '../../support/raw-http.ts'
import { smallService } from '../../support/small-service.ts'

interface Digits {
  most_probable_label: string
  predictions: { label: string; probability: string }[]
  success: true
}

const PATHS = ['/predictlabel', '/api/predictlabel']

describe('POST /predictlabel, for clients of deeplearning_flask', () => {
  const exact = exactService()
  const small = smallService()

  it('answers with exactly the original shape: ten labels in their order, probabilities as numpy prints them', async () => {
    const { headers, body } = fileAs('requests', 'image', 'a four', 'four.png')
    const answer = await ask(exact().url, 'POST /predictlabel', headers, body)
    expect(answer.status).to.equal(200)
    expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8')
    expect(answer.text).to.equal(
      '{"most_probable_label":"4","predictions":[' +
        '{"label":"0","probability":"1.3920588e-08"},' +
        '{"label":"1","probability":"0.0"},' +
        '{"label":"2","probability":"0.0"},' +
        '{"label":"3","probability":"0.0"},' +
        '{"label":"4","probability":"1.0"},' +
        '{"label":"5","probability":"0.0"},' +
        '{"label":"6","probability":"0.0"},' +
        '{"label":"7","probability":"1e-45"},' +
        '{"label":"8","probability":"0.0"},' +
        '{"label":"9","probability":"1e-04"}' +
        '],"success":true}',
    )
  })

  for (const path of PATHS) {
    for (const field of ['image', 'file']) {
      for (const client of CLIENT_NAMES) {
        it(`reads the digit of ${client} in the field ${field} at ${path}`, async () => {
          const { headers, body } = fileAs(client, field, await four(), 'four.png')
          const answer = await ask(small().url, `POST ${path}`, headers, body)
          expectFour(answer)
        })
      }
    }
  }

  it('reads a light digit on a dark background, and a digit on coloured paper', async () => {
    for (const picture of [
      await four(WHITE, BLACK),
      await four([0, 0, 128], [240, 230, 140]),
      await four([238, 238, 238], [34, 34, 34]),
    ]) {
      const { headers, body } = fileAs('curl', 'image', picture, 'four.png')
      expectFour(await ask(small().url, 'POST /predictlabel', headers, body))
    }
  })

  it('accepts an image as the body, whatever the Content-Type is', async () => {
    for (const type of ['image/png', 'application/x-www-form-urlencoded', 'application/json', 'text/plain']) {
      expectFour(await ask(small().url, 'POST /predictlabel', [`Content-Type: ${type}`], await four()))
    }
  })

  it('answers with as many labels as ?top= says, from the model that ?model= names', async () => {
    const { headers, body } = fileAs('curl', 'image', 'a four', 'four.png')
    const top = await ask(exact().url, 'POST /predictlabel?top=2', headers, body)
    expect((top.json() as Digits).predictions.map(({ label }) => label)).to.deep.equal(['4', '9'])
    const other = await ask(exact().url, 'POST /predictlabel?model=husky', headers, body)
    expect((other.json() as Digits).most_probable_label).to.equal('Eskimo dog')
  })

  it('has a page with a form, an example and the curl line', async () => {
    const page = await ask(small().url, 'GET /digits', ['Accept: text/html'])
    expect([page.status, page.headers.get('content-type')]).to.deep.equal([200, 'text/html; charset=utf-8'])
    expect(tags(page.text, 'form').some(({ action = '' }) => action.startsWith('/digits'))).to.equal(true)
    expect(words(page.text)).to.match(/curl -F image=@\S+ http:\/\/\S+\/predictlabel/)
    const examples = tags(page.text, 'img').flatMap(({ src }) => (src ? [src] : []))
    expect(examples).not.to.deep.equal([])
    for (const example of examples) {
      const { status, body } = await ask(small().url, `GET ${example}`)
      expect(status).to.equal(200)
      expect((await ask(small().url, 'POST /predictlabel', [], body)).status).to.equal(200)
    }
  })

  describe('says {"success":false} and no more', () => {
    const missing = [
      ['no body at all', [], undefined],
      ['an empty form', ['Content-Type: application/x-www-form-urlencoded'], ''],
      ['a form with a text', ['Content-Type: application/x-www-form-urlencoded'], 'image=four'],
      ['JSON', ['Content-Type: application/json'], '{"image":"four"}'],
      ['broken JSON', ['Content-Type: application/json'], '{"image":'],
      ['a form that is none', ['Content-Type: multipart/form-data; boundary=x'], 'four'],
    ] as const
    for (const path of PATHS) {
      for (const [what, headers, body] of missing) {
        it(`with 400 to ${what} at ${path}`, async () => {
          expectError(await ask(small().url, `POST ${path}`, headers, body), 400)
        })
      }
    }

    it('with 400 to a file in another field, a text in the right field, and no chosen file', async () => {
      const forms = [
        fileAs('curl', 'picture', await four()),
        multipartAs('requests', { field: 'image', text: 'four' }),
        fileAs('chrome', 'image', '', ''),
      ]
      for (const { headers, body } of forms) {
        expectError(await ask(small().url, 'POST /predictlabel', headers, body), 400)
      }
    })

    it('with 415 to a file that is no image, 422 to a broken image, 405 to GET, and 404 to an unknown model', async () => {
      const { url } = small()
      const text = fileAs('requests', 'image', 'four', 'four.png')
      expectError(await ask(url, 'POST /predictlabel', text.headers, text.body), 415)
      const broken = fileAs('requests', 'image', (await four()).subarray(0, 100), 'four.png')
      expectError(await ask(url, 'POST /predictlabel', broken.headers, broken.body), 422)
      const get = await ask(url, 'GET /predictlabel')
      expectError(get, 405)
      expect(get.headers.get('allow')).to.equal('POST')
      expectError(await ask(url, 'GET /api/predictlabel'), 405)
      const sound = fileAs('requests', 'image', await four(), 'four.png')
      expectError(await ask(url, 'POST /predictlabel?model=none', sound.headers, sound.body), 404)
      expectError(await ask(url, 'POST /predictlabel?top=0', sound.headers, sound.body), 400)
    })

    it('with 415 to an encoded body, and with 500 for a model that gives no labels', async () => {
      const { headers, body } = fileAs('curl', 'image', 'x')
      const encoded = await ask(
        small().url,
        'POST /predictlabel',
        [...headers, 'Content-Encoding: gzip'],
        body,
      )
      expectError(encoded, 415)
      expectError(await ask(exact().url, 'POST /predictlabel?model=odd', headers, body), 500)
    })
  })
})

function expectFour(answer: RawAnswer): void {
  expect(answer.status, answer.text).to.equal(200)
  const { most_probable_label, predictions, success, ...rest } = answer.json() as Digits
  expect([most_probable_label, success, rest]).to.deep.equal(['4', true, {}])
  expect(predictions.map(({ label }) => label)).to.deep.equal([...'0123456789'])
  for (const { probability } of predictions) {
    expect(probability).to.match(/^(\d\.\d+|\d(\.\d+)?e-\d\d)$/)
    expect(Number(probability)).to.be.within(0, 1)
  }
  expect(Number(predictions[4]?.probability)).to.be.greaterThan(0.5)
}

function expectError(answer: RawAnswer, status: number): void {
  expect(answer.status, answer.headers.get('x-error-code')).to.equal(status)
  expect(answer.text).to.equal('{"success":false}')
  expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8')
  expect(answer.headers.get('x-error-code')).to.match(/^ERR_/)
  expect(answer.headers.get('x-request-id')).to.match(/^[\w-]{21}$/)
}

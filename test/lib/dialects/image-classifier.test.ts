import { createHash } from 'node:crypto'
import { expect } from 'chai'
import sharp from 'sharp'
import { exactService } from '../../support/exact-service.ts'
import { recordsIn } from '../../support/feedback-folder.ts'
import { tags, words } from '../../support/markup.ts'
import { CLIENT_NAMES, type Client, fileAs, multipartAs } from '../../support/multipart-as.ts'
import { NASTY_TEXTS } from '../../support/nasty-texts.ts'
import { originalText } from '../../support/parse-csv.ts'
import { four, one } from '../../support/pictures.ts'
import { ask, type RawAnswer } from '../../support/raw-http.ts'
import { allReady, type Service, startService, until } from '../../support/service.ts'
import { smallService } from '../../support/small-service.ts'

const BROWSER = 'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const FORM = 'Content-Type: application/x-www-form-urlencoded'
const NOTICES = {
  none: 'No file part',
  unchosen: 'No image selected for uploading',
  refused: 'Allowed image types are -> png, jpg, jpeg, gif',
} as const

describe('/ and /predict, for clients of image_classifier', () => {
  const exact = exactService()
  const small = smallService()

  const upload = (client: Client, bytes: Buffer | string, file: string, query = '') => {
    const { headers, body } = fileAs(client, 'file', bytes, file)
    return ask(small().url, `POST /${query}`, headers, body)
  }

  it('GET / has a form that uploads "file" to /', async () => {
    const { text } = await ask(small().url, 'GET /', [BROWSER])
    const form = tags(text, 'form').find(({ action }) => action === '/')
    expect(form).to.include({ method: 'post', enctype: 'multipart/form-data' })
    expect(tags(text, 'input')).to.satisfy((inputs: Record<string, string>[]) =>
      inputs.some(({ name, type }) => name === 'file' && type === 'file'),
    )
  })

  describe('POST /', () => {
    for (const client of CLIENT_NAMES) {
      it(`shows the image of ${client} with its class, its score, the time, and a form to report it`, async () => {
        const picture = await four()
        const answer = await upload(client, picture, 'my four.PNG')
        expect([answer.status, answer.headers.get('content-type')]).to.deep.equal([
          200,
          'text/html; charset=utf-8',
        ])
        expect(answer.text).to.contain(`src="/display/${md5(picture)}.png"`)
        const text = words(answer.text)
        expect(text)
          .to.match(/Predicted class 4 Score (0\.\d{1,4}|1)\b/)
          .and.match(/Process time \d+\.\d+ s/)
        const form = tags(answer.text, 'form').find(({ action }) => action === '/feedback')
        expect(form?.method).to.equal('post')
        expect(tags(answer.text, 'input').map(({ name }) => name)).to.include('report')
        expect(text).to.contain('Report incorrect answer')
      })
    }

    it('also serves the image under the extension of the uploaded file', async () => {
      const picture = await sharp(await four())
        .jpeg()
        .toBuffer()
      await upload('chrome', picture, 'four.jpeg')
      for (const extension of ['jpg', 'jpeg', 'JPEG', 'png']) {
        const display = await ask(small().url, `GET /display/${md5(picture)}.${extension}`, [BROWSER])
        expect([display.status, display.headers.get('location')], extension).to.deep.equal([
          302,
          `/uploads/${md5(picture)}.jpg`,
        ])
      }
      for (const name of [`${md5(picture)}.html`, md5(picture), `${'0'.repeat(32)}.jpeg`]) {
        expect((await ask(small().url, `GET /display/${name}`)).status, name).to.equal(404)
      }
      expect((await ask(small().url, `GET /uploads/${md5(picture)}.jpeg`)).status).to.equal(404)
    })

    it('keeps the image for the page under /display, which redirects to /uploads', async () => {
      const picture = await four()
      await upload('chrome', picture, 'four.png')
      const display = await ask(small().url, `GET /display/${md5(picture)}.png`, [BROWSER])
      expect([display.status, display.headers.get('location')]).to.deep.equal([
        302,
        `/uploads/${md5(picture)}.png`,
      ])
      const image = await ask(small().url, `GET ${display.headers.get('location')}`)
      expect([image.status, image.headers.get('content-type')]).to.deep.equal([200, 'image/png'])
      expect(image.headers.get('x-content-type-options')).to.equal('nosniff')
      expect(image.body.equals(picture)).to.equal(true)
      const head = await ask(small().url, `HEAD ${display.headers.get('location')}`)
      expect([head.status, head.headers.get('content-length')]).to.deep.equal([200, String(picture.length)])
    })

    it('names an image by its bytes, never by its file name or Content-Type', async () => {
      const jpeg = await sharp(await four())
        .jpeg()
        .toBuffer()
      const gif = await sharp(await four())
        .gif()
        .toBuffer()
      for (const [bytes, name, extension] of [
        [jpeg, 'four.png', 'jpg'],
        [gif, 'page.html', 'gif'],
        [await four(), '../../etc/passwd', 'png'],
      ] as const) {
        expect((await upload('curl', bytes, name)).text).to.contain(
          `src="/display/${md5(bytes)}.${extension}"`,
        )
      }
    })

    it('takes ?model= and ?top=', async () => {
      expect(words((await upload('chrome', await four(), 'x.png', '?model=digits&top=2')).text)).to.contain(
        'class 4',
      )
      expect((await upload('chrome', await four(), 'x.png', '?model=none')).status).to.equal(404)
      expect((await upload('chrome', await four(), 'x.png', '?top=0')).status).to.equal(400)
    })

    it('answers with a 4xx page for a broken image, and for an image that is too large by its header', async () => {
      const broken = await upload('firefox', (await four()).subarray(0, 150), 'x.png')
      expect(broken.status).to.equal(422)
      expect(words(broken.text)).to.contain('ERR_IMAGE_DECODE')
    })
  })

  describe('POST / without a usable file redirects to the form, which shows a flash message:', () => {
    const picture = { field: 'file', file: 'four.png', bytes: 'x' }
    const refused = [
      [NOTICES.none, 'no body', { headers: [BROWSER], body: undefined }],
      [NOTICES.none, 'a form of texts', { headers: [FORM, BROWSER], body: 'file=x' }],
      [NOTICES.none, 'JSON', { headers: ['Content-Type: application/json', BROWSER], body: '{' }],
      [NOTICES.none, 'another field', multipartAs('chrome', { ...picture, field: 'image' })],
      [NOTICES.none, 'a text in the field', multipartAs('chrome', { field: 'file', text: 'x' })],
      [NOTICES.none, 'a form without parts', multipartAs('requests')],
      [NOTICES.unchosen, 'no file chosen', fileAs('chrome', 'file', '', '')],
      [NOTICES.unchosen, 'no file chosen in Firefox', fileAs('firefox', 'file', '', '')],
      [NOTICES.unchosen, 'an empty file', fileAs('curl', 'file', '', 'four.png')],
      [NOTICES.refused, 'a text called png', fileAs('requests', 'file', 'a four', 'four.png')],
      [
        NOTICES.refused,
        'a vector image',
        fileAs('chrome', 'file', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'x.svg'),
      ],
    ] as const
    for (const [notice, what, { headers, body }] of refused) {
      it(`"${notice}", to ${what}`, async () => {
        await expectNotice(await ask(small().url, 'POST /', headers, body), notice)
      })
    }

    it(`"${NOTICES.refused}", to images of other types`, async () => {
      for (const bytes of [
        await sharp(await four())
          .webp()
          .toBuffer(),
        await sharp(await four())
          .tiff()
          .toBuffer(),
      ]) {
        await expectNotice(await upload('chrome', bytes, 'four.png'), NOTICES.refused)
      }
    })

    it('shows no other text, whatever the cookie holds', async () => {
      for (const cookie of ['hello', 'constructor', '__proto__', '<b>', 'No%20file%20part']) {
        const { text } = await ask(small().url, 'GET /', [BROWSER, `Cookie: notice=${cookie}`])
        expect(text).not.to.contain('role="alert"')
      }
    })

    async function expectNotice(answer: RawAnswer, notice: string) {
      expect([answer.status, answer.headers.get('location')], answer.text).to.deep.equal([302, '/'])
      const cookie = cookieOf(answer)
      expect(answer.headers.get('set-cookie'))
        .to.match(/httponly/i)
        .and.match(/samesite=lax/i)
      const shown = await ask(small().url, 'GET /', [BROWSER, `Cookie: ${cookie}`])
      expect(words(shown.text)).to.contain(notice)
      for (const other of Object.values(NOTICES)) {
        if (other !== notice) expect(words(shown.text)).not.to.contain(other)
      }
      expect(cookieOf(shown)).to.equal('notice=')
      expect(shown.headers.get('set-cookie')).to.match(/expires=Thu, 01 Jan 1970/)
      const later = await ask(small().url, 'GET /', [BROWSER])
      expect(words(later.text)).not.to.contain(notice)
      expect(later.headers.has('set-cookie')).to.equal(false)
    }
  })

  describe('POST /predict', () => {
    it('answers with exactly the original shape: the Keras name, and four decimals', async () => {
      const { headers, body } = fileAs('requests', 'file', 'a dog', 'dog.jpg')
      const answer = await ask(exact().url, 'POST /predict', headers, body)
      expect([answer.status, answer.text]).to.deep.equal([
        200,
        '{"prediction":"Eskimo_dog","score":0.9346,"success":true}',
      ])
      expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8')
    })

    it('rounds a score to the nearest value, also to 0 and to 1', async () => {
      const { headers, body } = fileAs('requests', 'file', 'x')
      const score = async (model: string) =>
        (await ask(exact().url, `POST /predict?model=${model}`, headers, body)).text
      expect(await score('four')).to.equal('{"prediction":"4","score":1,"success":true}')
      expect(await score('panda')).to.equal('{"prediction":"giant_panda","score":0.5,"success":true}')
    })

    for (const client of CLIENT_NAMES) {
      it(`reads the file of ${client}`, async () => {
        const { headers, body } = fileAs(client, 'file', await four(), 'four.png')
        const answer = await ask(small().url, 'POST /predict', headers, body)
        const { prediction, score, success, ...rest } = answer.json() as Record<string, unknown>
        expect([answer.status, prediction, success, rest]).to.deep.equal([200, '4', true, {}])
        expect(score).to.be.within(0.5, 1)
      })
    }

    it('adds the guesses that ?top= asks for', async () => {
      const { headers, body } = fileAs('requests', 'file', 'a dog')
      const { prediction, predictions } = (
        await ask(exact().url, 'POST /predict?top=2', headers, body)
      ).json() as {
        prediction: string
        predictions: unknown
      }
      expect(prediction).to.equal('Eskimo_dog')
      expect(predictions).to.deep.equal([
        { prediction: 'Eskimo_dog', score: 0.9346 },
        { prediction: 'tiger_cat', score: 0.325 },
      ])
    })

    it('answers 400 to anything invalid, with exactly the original fields', async () => {
      const png = await four()
      const file = { field: 'file', file: 'four.png', bytes: png }
      const requests = [
        { headers: [], body: undefined },
        { headers: [FORM], body: 'file=four.png' },
        { headers: ['Content-Type: application/json'], body: '{"file":"x"}' },
        { headers: ['Content-Type: application/json'], body: '{' },
        { headers: ['Content-Type: multipart/form-data; boundary=x'], body: '--x' },
        { headers: ['Content-Type: text/plain'], body: 'a four' },
        { headers: ['Content-Encoding: gzip'], body: png },
        multipartAs('requests', { ...file, field: 'image' }),
        multipartAs('requests', { field: 'file', text: 'x' }),
        multipartAs('chrome', { ...file, file: '', bytes: '' }),
        multipartAs('requests', { ...file, bytes: 'no image' }),
        multipartAs('curl', { ...file, bytes: png.subarray(0, 150) }),
      ]
      for (const { headers, body } of requests) {
        expectNulls(await ask(small().url, 'POST /predict', [...headers, BROWSER], body), 400)
      }
      const { headers, body } = multipartAs('requests', file)
      expectNulls(await ask(small().url, 'POST /predict?top=none', headers, body), 400)
    })

    it('uses the same shape for 404, 405 and 500', async () => {
      const { headers, body } = fileAs('requests', 'file', 'x')
      expectNulls(await ask(exact().url, 'POST /predict?model=none', headers, body), 404)
      expectNulls(await ask(exact().url, 'POST /predict?model=odd', headers, body), 500)
      const get = await ask(exact().url, 'GET /predict', [BROWSER])
      expectNulls(get, 405)
      expect(get.headers.get('allow')).to.equal('POST')
    })
  })

  describe('/feedback', () => {
    const report = (headers: readonly string[], body: string | Buffer) =>
      ask(small().url, 'POST /feedback', headers, body)
    const records = () => recordsIn(small().feedbackDir)
    // The folder comes with the first report.
    before(async () => void (await report([FORM], 'report=first')))

    it('thanks the user and records the report once: from a form, in JSON, and from a page', async () => {
      const requests = [
        { headers: [FORM, BROWSER], body: 'report=Eskimo+dog%2C+I+think&id=x' },
        { headers: ['Content-Type: application/json', BROWSER], body: '{"report":"Eskimo dog, I think"}' },
        multipartAs('chrome', { field: 'report', text: 'Eskimo dog, I think' }),
      ]
      for (const { headers, body } of requests) {
        const before = records().length
        const answer = await report(headers, body)
        expect([answer.status, answer.headers.get('content-type')]).to.deep.equal([
          200,
          'text/html; charset=utf-8',
        ])
        expect(words(answer.text)).to.contain('Thanks for your feedback')
        expect(records().length).to.equal(before + 1)
        expect(records().at(-1)?.report).to.equal('Eskimo dog, I think')
      }
      const json = await report([FORM, 'Accept: application/json'], 'report=x')
      expect(json.text).to.equal('{"message":"Thanks for your feedback","success":true}')
    })

    it('records the answer that was given under the id of the page', async () => {
      const picture = await one(3)
      const page = await upload('chrome', picture, 'one.png')
      const id = tags(page.text, 'input').find(({ name }) => name === 'id')?.value ?? ''
      expect(id).to.equal(page.headers.get('x-request-id'))
      await report([FORM], `report=seven&id=${encodeURIComponent(id)}`)
      expect(records().at(-1)).to.include({
        id,
        model: 'digits',
        prediction: '1',
        sha256: createHash('sha256').update(picture).digest('hex'),
        report: 'seven',
        source: 'service',
      })
    })

    it('stores nothing for GET and HEAD, or for an empty report', async () => {
      const before = records().length
      for (const line of ['GET /feedback', 'GET /feedback?report=x', 'HEAD /feedback?report=x']) {
        expect((await ask(small().url, line, [BROWSER])).status).to.equal(200)
      }
      expect(words((await ask(small().url, 'GET /feedback', [BROWSER])).text)).to.contain(
        'Thanks for your feedback',
      )
      for (const body of ['', 'report=', 'report=+%0D%0A', 'other=x']) {
        const answer = await report([FORM], body)
        expect([answer.status, answer.headers.get('x-error-code')]).to.deep.equal([400, 'ERR_FEEDBACK_EMPTY'])
      }
      const empty = await report(['Content-Type: application/json'], '{"report":{"a":1}}')
      expect(empty.status).to.equal(400)
      expect(records().length).to.equal(before)
    })

    it('writes one record per report, whatever the text is, and loses none of many simultaneous reports', async () => {
      const before = records().length
      await Promise.all(
        NASTY_TEXTS.map((text) => report([FORM], `report=${encodeURIComponent(wellFormed(text))}`)),
      )
      const written = records().slice(before)
      expect(written).to.have.length(NASTY_TEXTS.length)
      const sent = new Set(NASTY_TEXTS.map((text) => wellFormed(text)))
      for (const { report: text } of written) expect(sent, text).to.include(originalText(text))
      for (const { report: text } of written) expect(text).not.to.match(/^\s*[=+\-@]/)
    })
  })
})

describe('An upload', () => {
  let service: Service
  before(async () => {
    service = await startService({
      MODELS: 'digits',
      PREDICT_MODEL: 'digits',
      DEVICE: 'cpu',
      UPLOAD_TTL_MS: '400',
    })
    await allReady(service)
  })
  after(() => service.stop())

  it('expires: /display and /uploads then answer 404, as a page for a browser', async () => {
    const { headers, body } = fileAs('chrome', 'file', await four(), 'four.png')
    const page = await ask(service.url, 'POST /', headers, body)
    const [source = ''] = tags(page.text, 'img').map(({ src = '' }) => src)
    expect(source).to.match(/^\/display\/[0-9a-f]{32}\.png$/)
    expect((await ask(service.url, `GET ${source}`)).status).to.equal(302)
    await until(async () => (await ask(service.url, `GET ${source}`)).status === 404, 'the end of the upload')
    const gone = await ask(service.url, `GET ${source.replace('display', 'uploads')}`, [BROWSER])
    expect([gone.status, gone.headers.get('x-error-code')]).to.deep.equal([404, 'ERR_NOT_FOUND'])
    expect(gone.headers.get('content-type')).to.equal('text/html; charset=utf-8')
  })

  it('that never existed is not found, whatever the name is', async () => {
    for (const name of ['x', '..%2f..%2fetc%2fpasswd', '__proto__', `${'0'.repeat(32)}.png`, '%00', '%']) {
      for (const folder of ['display', 'uploads']) {
        expect((await ask(service.url, `GET /${folder}/${name}`)).status).to.be.within(400, 404)
      }
    }
  })
})

/** Half of a pair cannot be sent: a browser puts the sign of what is unknown in its place. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString()
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex')
}

/** `name=value`, as a browser would send it back. */
function cookieOf(answer: RawAnswer): string | undefined {
  return answer.headers.get('set-cookie')?.split(';')[0]
}

function expectNulls(answer: RawAnswer, status: number): void {
  expect([answer.status, answer.text], answer.headers.get('x-error-code')).to.deep.equal([
    status,
    '{"prediction":null,"score":null,"success":false}',
  ])
  expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8')
  expect(answer.headers.get('x-error-code')).to.match(/^ERR_/)
}

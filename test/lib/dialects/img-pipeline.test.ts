import { expect } from 'chai'
import sharp from 'sharp'
import { exactService, PANDA } from '../../support/exact-service.ts'
import { BLACK, four, one, WHITE } from '../../support/pictures.ts'
import { ask, type RawAnswer } from '../../support/raw-http.ts'
import { answer, type RawServer, rawServer } from '../../support/raw-server.ts'
import { allReady, type Service, scripted, startService, until } from '../../support/service.ts'
import { smallService } from '../../support/small-service.ts'

interface Result {
  url: unknown
  classes?: { class: string; confidence: number }[]
  Error?: string
}

const JSON_TYPE = 'Content-Type: application/json'

describe('POST /api/infer, for clients of img_pipeline', () => {
  const exact = exactService()
  const small = smallService()

  const infer = (url: string, images: unknown, query = '', headers: readonly string[] = [JSON_TYPE]) =>
    ask(url, `POST /api/infer${query}`, headers, JSON.stringify({ images }))

  it('answers with exactly the original shape: first synonyms above the threshold', async () => {
    const { url, imageUrl } = exact()
    const answer = await infer(url, [imageUrl, 'no address'])
    expect(answer.status).to.equal(200)
    expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8')
    expect(answer.text).to.equal(
      `{"results":[{"url":"${imageUrl}","classes":[{"class":"giant panda","confidence":0.5000000596046448}]},` +
        '{"url":"no address","Error":"Invalid URL"}]}',
    )
  })

  it('takes ?threshold= and answers only with classes above it', async () => {
    const { url, imageUrl } = exact()
    const classes = async (query: string) => {
      const [result] = resultsOf(await infer(url, [imageUrl], query))
      return result?.classes?.map(({ class: name }) => name)
    }
    expect(await classes('')).to.deep.equal(['giant panda'])
    expect(await classes('?threshold=0.5')).to.deep.equal(['giant panda'])
    expect(await classes('?threshold=0.499')).to.deep.equal(['giant panda', 'lesser panda'])
    expect(await classes('?threshold=0')).to.deep.equal(['giant panda', 'lesser panda', 'brown bear'])
    expect(await classes('?threshold=0.25')).to.deep.equal(['giant panda', 'lesser panda'])
    expect(await classes('?threshold=0.9')).to.deep.equal([])
    expect(await classes('?threshold=1')).to.deep.equal([])
  })

  it('takes ?top= and ?model=', async () => {
    const { url, imageUrl } = exact()
    const [top] = resultsOf(await infer(url, [imageUrl], '?threshold=0&top=1'))
    expect(top?.classes).to.deep.equal([{ class: 'giant panda', confidence: PANDA[0]?.probability }])
    const [other] = resultsOf(await infer(url, [imageUrl], '?model=four'))
    expect(other?.classes).to.deep.equal([{ class: '4', confidence: 1 }])
  })

  it('reads the body as JSON, whatever the Content-Type is', async () => {
    const { url, imageUrl } = exact()
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain; charset=iso-8859-1',
      'multipart/form-data; boundary=x',
      'application/octet-stream',
      'image/png',
      'application/json; charset=utf-16',
      'nonsense',
      '',
    ]) {
      const answer = await infer(url, [imageUrl], '', type === '' ? [] : [`Content-Type: ${type}`])
      expect(answer.status, `${type}: ${answer.text}`).to.equal(200)
    }
  })

  it('accepts a byte order mark and further fields in the body', async () => {
    for (const text of ['\ufeff{"images":[]}', ' {"images":[],"more":{"x":1}}\n']) {
      const answer = await ask(exact().url, 'POST /api/infer', [JSON_TYPE], text)
      expect([answer.status, answer.text]).to.deep.equal([200, '{"results":[]}'])
    }
  })

  it('keeps the order: each result belongs to its own address', async () => {
    const { url, offer } = small()
    const pictures = await Promise.all([four(), one(), four(WHITE, BLACK)])
    const [good, upright, inverted] = pictures.map((bytes) => offer(bytes))
    const gone = offer('', '404 Not Found')
    const text = offer('no image')
    const broken = offer((await four()).subarray(0, 120))
    const images = [
      gone,
      good,
      text,
      upright,
      'http://',
      inverted,
      broken,
      good,
      'file:///etc/passwd',
      'http://10.0.0.1/',
    ]
    const results = resultsOf(await infer(url, images))
    expect(results.map((result) => result.url)).to.deep.equal(images)
    const told = results.map(({ Error: error, classes }) => error ?? classes?.[0]?.class)
    const bad = 'Invalid URL'
    expect(told).to.deep.equal([bad, '4', bad, '1', bad, '4', bad, '4', bad, bad])
    for (const result of results) expect(Object.keys(result)).to.have.length(2)
  })

  it('answers 200 when all addresses are bad, and when the list is empty', async () => {
    const bad = [
      '',
      ' ',
      'x',
      'ftp://127.0.0.1/x',
      'http://169.254.169.254/latest/meta-data/',
      'javascript:alert(1)',
    ]
    const results = resultsOf(await infer(small().url, bad))
    expect(results).to.deep.equal(bad.map((url) => ({ url, Error: 'Invalid URL' })))
    expect(resultsOf(await infer(small().url, []))).to.deep.equal([])
  })

  it('treats an entry that is no text as a bad address, however deeply nested', async () => {
    const results = resultsOf(await infer(small().url, [1, null, true, ['http://x'], { url: 'http://x' }]))
    expect(results.map(({ url }) => url)).to.deep.equal([1, null, true, null, null])
    const depth = 5000
    const deep = `{"images":[${'['.repeat(depth)}${']'.repeat(depth)}]}`
    const answer = await ask(small().url, 'POST /api/infer', [JSON_TYPE], deep)
    expect(resultsOf(answer)).to.deep.equal([{ url: null, Error: 'Invalid URL' }])
  })

  it('reads grey, palette and RGBA images, and data URIs', async () => {
    const { url, offer } = small()
    const picture = sharp(await four())
    const grey = await picture.clone().toColourspace('b-w').png().toBuffer()
    const rgba = await picture.clone().ensureAlpha().png().toBuffer()
    const palette = await picture.clone().png({ palette: true }).toBuffer()
    const jpeg = await picture.clone().toColourspace('b-w').jpeg().toBuffer()
    const images = [grey, rgba, palette, jpeg].map((bytes) => offer(bytes))
    images.push(`data:image/png;base64,${grey.toString('base64')}`)
    const results = resultsOf(await infer(url, images))
    expect(results.map(({ classes }) => classes?.[0]?.class)).to.deep.equal(['4', '4', '4', '4', '4'])
  })

  describe('refuses the whole request', () => {
    const bodies = [
      '',
      '{',
      '{"images":["http://x"]',
      'images=http://x',
      'null',
      '5',
      '"http://x"',
      '[]',
      '["http://x"]',
      '{}',
      '{"image":["http://x"]}',
      '{"images":null}',
      '{"images":"http://x"}',
      '{"images":{"0":"http://x"}}',
      '{"__proto__":{"images":[]}}',
      '{"images":[],"__proto__":{"images":[]}}',
      "{'images':[]}",
    ]
    for (const body of bodies) {
      it(`with 400 when it is ${body === '' ? 'empty' : body}`, async () => {
        expectError(await ask(small().url, 'POST /api/infer', [JSON_TYPE], body), 400, 'ERR_BAD_REQUEST')
      })
    }

    it('with 413 and the limit when there are too many images', async () => {
      const images = Array.from({ length: 33 }, () => 'http://127.0.0.1/x')
      const answer = await infer(small().url, images)
      expectError(answer, 413, 'ERR_TOO_MANY_IMAGES')
      expect(answer.text).to.contain('32').and.contain('33')
      expect(resultsOf(await infer(small().url, images.slice(1)))).to.have.length(32)
    })

    it('with 400 when a query cannot be read', async () => {
      for (const query of [
        'threshold=high',
        'threshold=-0.1',
        'threshold=1.1',
        'threshold=NaN',
        'threshold=',
        'top=0',
      ]) {
        expectError(await infer(small().url, [], `?${query}`), 400, 'ERR_BAD_REQUEST')
      }
    })

    it('with 404, 405 and 415 in JSON, also to browsers', async () => {
      const { url, imageUrl } = exact()
      expectError(
        await infer(url, [imageUrl], '?model=none', ['Accept: text/html']),
        404,
        'ERR_MODEL_UNKNOWN',
      )
      const get = await ask(url, 'GET /api/infer', ['Accept: text/html'])
      expectError(get, 405, 'ERR_METHOD_NOT_ALLOWED')
      expect(get.headers.get('allow')).to.equal('POST')
      const zipped = await infer(url, [], '', [JSON_TYPE, 'Content-Encoding: br'])
      expectError(zipped, 415, 'ERR_UNSUPPORTED_MEDIA')
    })
  })
})

describe('The downloads of one /api/infer', () => {
  const COUNT = 5
  let images: RawServer
  let service: Service

  before(async () => {
    images = await rawServer({
      // None is answered before all have been asked for.
      request(_, __, index) {
        if (index === COUNT - 1) for (const socket of waiting) socket.end(answer('200 OK', [], 'x'))
      },
      connection: (socket) => void waiting.push(socket),
    })
    const answers = [{ index: 0, label: 'cat', name: 'cat', full: 'cat', probability: 0.9 }]
    service = await startService({
      ...scripted({ answer: answers }),
      ALLOW_HOSTS: '127.0.0.1',
      URL_PORTS: String(images.port),
    })
    await allReady(service)
  })
  const waiting: import('node:net').Socket[] = []
  after(async () => {
    await images.close()
    await service.stop()
  })

  it('run in parallel', async () => {
    const urls = Array.from({ length: COUNT }, (_, i) => `http://127.0.0.1:${images.port}/${i}`)
    const body = JSON.stringify({ images: urls })
    const results = resultsOf(await ask(service.url, 'POST /api/infer', [JSON_TYPE], body))
    expect(results.map(({ url }) => url)).to.deep.equal(urls)
    expect(results.map(({ classes }) => classes?.[0]?.class)).to.deep.equal(urls.map(() => 'cat'))
  })

  it('end when the client leaves', async () => {
    const controller = new AbortController()
    const urls = [`http://127.0.0.1:${images.port}/never`]
    const left = fetch(`${service.url}/api/infer`, {
      method: 'POST',
      body: JSON.stringify({ images: urls }),
      signal: controller.signal,
    }).catch(() => 'left')
    await until(() => images.open() === 1, 'the download')
    controller.abort()
    expect(await left).to.equal('left')
    await until(() => images.open() === 0, 'the end of the download')
  })
})

function resultsOf(answer: RawAnswer): Result[] {
  expect(answer.status, answer.text).to.equal(200)
  return (answer.json() as { results: Result[] }).results
}

function expectError(answer: RawAnswer, status: number, code: string): void {
  expect([answer.status, answer.headers.get('x-error-code')], answer.text).to.deep.equal([status, code])
  const body = answer.json() as Record<string, unknown>
  expect(Object.keys(body)).to.deep.equal(['Error', 'code'])
  expect(body.code).to.equal(code)
  expect(body.Error).to.match(/^(?:[A-Z/]|\w+ m(?:ust|ay) ).*\.$/)
  expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8')
}

import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { scriptedModels } from '../../support/exact-service.ts'
import { pngBomb } from '../../support/image-files.ts'
import { words } from '../../support/markup.ts'
import { fileAs } from '../../support/multipart-as.ts'
import { four } from '../../support/pictures.ts'
import { ask, type RawAnswer, requestBytes } from '../../support/raw-http.ts'
import { allReady, type Service, startService, until } from '../../support/service.ts'
import { HOSTILE_LABEL, smallService } from '../../support/small-service.ts'

interface Dialect {
  readonly name: string
  send(url: string, query: string, bytes: Buffer | string): Promise<RawAnswer>
  /** what the answer says in its own way; an error of the one address in a list counts as one */
  failed(answer: RawAnswer): boolean
}

const START_MS = 30_000
const DEADLINE_MS = 2500
/** Far below any of the waits of a model, and far above what a busy machine makes of a millisecond. */
const AT_ONCE_MS = 2000
const BROWSER = 'Accept: text/html'

const DIALECTS: readonly Dialect[] = [
  {
    name: '/vgg',
    send: (url, query, bytes) => ask(url, `POST /vgg?${query}`, [], bytes),
    failed: (answer) => typeof (answer.json() as { error?: { code: unknown } }).error?.code === 'string',
  },
  {
    name: '/api/predict',
    send: (url, query, bytes) => sendFile(url, `/api/predict?${query}`, 'image', bytes),
    failed: (answer) => (answer.json() as { success: boolean }).success === false,
  },
  {
    name: '/api/infer',
    send(url, query, bytes) {
      const images = [`data:;base64,${Buffer.from(bytes).toString('base64')}`]
      return ask(url, `POST /api/infer?${query}`, [], JSON.stringify({ images }))
    },
    failed: (answer) => /"Error":"[^"]+"/.test(answer.text),
  },
  {
    name: '/predictlabel',
    send: (url, query, bytes) => sendFile(url, `/predictlabel?${query}`, 'image', bytes),
    failed: (answer) => answer.text === '{"success":false}',
  },
  {
    name: '/predict',
    send: (url, query, bytes) => sendFile(url, `/predict?${query}`, 'file', bytes),
    failed: (answer) => answer.text === '{"prediction":null,"score":null,"success":false}',
  },
]

describe('All five dialects', () => {
  const small = smallService()

  it('answer a bad image with an error, and good images at the same time with predictions', async () => {
    const good = await four()
    const bad = good.subarray(0, 150)
    const answers = await Promise.all(
      DIALECTS.flatMap(({ send }) =>
        [good, bad, good, 'no image', good].map((bytes) => send(small().url, '', bytes)),
      ),
    )
    for (const [i, answer] of answers.entries()) {
      const { name, failed } = DIALECTS[Math.floor(i / 5)] as Dialect
      if ((i % 5) % 2 === 0) expect(answer.text, name).to.contain('"4"')
      else {
        expect(failed(answer), answer.text).to.equal(true)
        if (name !== '/api/infer') expect(answer.status).to.be.within(400, 422)
      }
    }
  })

  it('refuse an image bomb by its header', async () => {
    const bomb = pngBomb(30_000)
    const statuses = {
      '/vgg': 413,
      '/api/predict': 413,
      '/api/infer': 200,
      '/predictlabel': 413,
      '/predict': 400,
    }
    for (const { name, send, failed } of DIALECTS) {
      const answer = await send(small().url, '', bomb)
      expect([answer.status, failed(answer)]).to.deep.equal([statuses[name as keyof typeof statuses], true])
      if (answer.status > 200) expect(answer.headers.get('x-error-code')).to.equal('ERR_IMAGE_TOO_LARGE')
    }
    const { headers, body } = fileAs('chrome', 'file', bomb)
    const page = await ask(small().url, 'POST /', headers, body)
    expect([page.status, page.headers.get('x-error-code')]).to.deep.equal([413, 'ERR_IMAGE_TOO_LARGE'])
  })

  it('turn a photograph by its EXIF orientation, unless the settings of the model turn this off', async () => {
    const lying = await sharp(await four())
      .rotate(-90)
      .toBuffer()
    const plain = await sharp(lying).jpeg().toBuffer()
    const tagged = await sharp(lying).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    for (const { name, send } of DIALECTS) {
      expect((await send(small().url, 'threshold=0', tagged)).text, name).to.match(
        /"4"[^}]*(0\.[5-9]|1\b|1\.0)/,
      )
    }
    const scores = async (model: string, bytes: Buffer) => {
      const { predictions } = (await ask(small().url, `POST /${model}`, [], bytes)).json() as {
        predictions: { index: number; probability: number }[]
      }
      return predictions.map(({ index, probability }) => [index, probability])
    }
    expect(await scores('hostile', tagged)).to.deep.equal(await scores('hostile', plain))
    expect(await scores('digits', tagged)).not.to.deep.equal(await scores('digits', plain))
  })

  it('show nothing unescaped on any page: labels, file names, addresses, paths, reports', async () => {
    const { url } = small()
    const picture = await four()
    const evil = `"><script>alert('1')</script>&<img src=x onerror=alert(1)>`
    const encoded = encodeURIComponent(evil)
    const form = 'Content-Type: application/x-www-form-urlencoded'
    const file = fileAs('chrome', 'file', picture, `${evil}.png`)
    const image = fileAs('firefox', 'image', picture, `${evil}.png`)
    const broken = fileAs('chrome', 'image', 'no image', `${evil}.png`)
    const pages = [
      await ask(url, 'POST /?model=hostile', file.headers, file.body),
      await ask(url, 'POST /hostile', image.headers, image.body),
      await ask(url, 'POST /vgg?model=hostile', image.headers, image.body),
      await ask(url, 'GET /hostile', [BROWSER]),
      await ask(url, 'POST /vgg', broken.headers, broken.body),
      await ask(url, 'POST /vgg', [form, BROWSER], `url=${encoded}`),
      await ask(url, 'POST /vgg', [form, BROWSER], `url=http://127.0.0.1/${encoded}`),
      await ask(url, `POST /vgg?url=${encoded}`, [BROWSER]),
      await ask(url, `POST /vgg?model=${encoded}`, image.headers, image.body),
      await ask(url, `POST /vgg?top=${encoded}`, [BROWSER]),
      await ask(url, `GET /${encoded}`, [BROWSER]),
      await ask(url, `POST /${encoded}`, [BROWSER]),
      await ask(url, `GET /display/${encoded}`, [BROWSER]),
      await ask(url, `GET /feedback?report=${encoded}`, [BROWSER]),
      await ask(url, 'POST /feedback', [form, BROWSER], `report=${encoded}&id=${encoded}`),
      await ask(url, 'GET /', [BROWSER, `Cookie: notice=${encoded}`]),
      await ask(url, `GET /`, [BROWSER, `X-Request-Id: ${evil}`]),
      await ask(url, 'GET /docs', [BROWSER, `Host: ${evil}`.replaceAll(/\s/g, '')]),
    ]
    for (const { text, headers } of pages) {
      expect(headers.get('content-type'), text).to.equal('text/html; charset=utf-8')
      expect(text).not.to.match(/<script>|<img src=x|onerror=alert\(1\)>/)
      expect(headers.get('content-security-policy')).to.contain("default-src 'self'")
    }
    for (const page of pages.slice(0, 3)) expect(words(page.text)).to.contain(HOSTILE_LABEL)
  })

  it('answer as soon as the model has answered, without polling', async () => {
    const picture = await four()
    const start = performance.now()
    for (let i = 0; i < 20; i++) {
      // Each is another image to the cache.
      const { status } = await ask(small().url, 'POST /digits', [], Buffer.concat([picture, Buffer.of(i)]))
      expect(status).to.equal(200)
    }
    // The originals looked every 250 to 500 ms.
    expect((performance.now() - start) / 20).to.be.lessThan(100)
  })
})

describe('A service under too much load', () => {
  const record = join(tmpdir(), `tandem-${process.pid}-${Date.now()}`)
  let service: Service

  before(async function () {
    this.timeout(START_MS)
    service = await startService({
      ...scriptedModels({
        slow: { predictMs: 20_000 },
        ordered: { predictMs: 20, record },
        starting: { startMs: 600_000, startWord: 'reading weights' },
        failed: { failStart: 'There is no such file.' },
      }),
      MAX_QUEUE: '6',
      MAX_BATCH: '1',
      DEADLINE_MS: String(DEADLINE_MS),
      DRAIN_TIMEOUT_MS: '0',
      MAX_BODY_BYTES: '4kb',
    })
    await until(
      async () => Object.values(await states(service)).join() === 'ready,ready,starting,failed',
      'the models',
      START_MS,
    )
  })
  after(() => service.stop())

  it('ends every request by its deadline, refuses the excess at once, and serves pages meanwhile', async () => {
    const start = performance.now()
    const fill = Array.from({ length: 12 }, async (_, i) => {
      const answer = await ask(service.url, 'POST /slow', [], `input ${i}`)
      return { answer, ms: performance.now() - start }
    })
    await until(() => Promise.race([...fill, false]), 'the first that is refused')
    for (const { name, send, failed } of DIALECTS) {
      const asked = performance.now()
      const answer = await send(service.url, 'model=slow', 'x')
      expect([answer.status, failed(answer)], `${name}: ${answer.text}`).to.deep.equal([503, true])
      expect(answer.headers.get('retry-after')).to.match(/^\d+$/)
      expect(performance.now() - asked).to.be.lessThan(AT_ONCE_MS)
    }
    for (const page of ['/', '/vgg', '/slow', '/api', '/docs', '/healthz', '/readyz']) {
      const asked = performance.now()
      expect((await ask(service.url, `GET ${page}`, [BROWSER])).status).to.equal(200)
      expect(performance.now() - asked).to.be.lessThan(AT_ONCE_MS)
    }
    const ended = await Promise.all(fill)
    for (const { answer, ms } of ended) {
      expect(answer.status).to.be.oneOf([503, 504])
      expect(answer.headers.has('retry-after')).to.equal(answer.status === 503)
      if (answer.status === 504) expect(ms).to.be.within(DEADLINE_MS - 50, DEADLINE_MS + 3000)
    }
    expect(ended.filter(({ answer }) => answer.status === 504).length).to.be.within(6, 8)
  })

  it('reports a passed deadline in the shape of each dialect', async () => {
    await until(async () => (await stats(service, 'slow')).queued === 0, 'room in the queue')
    const answers = await Promise.all(DIALECTS.map(({ send }) => send(service.url, 'model=slow', 'x')))
    for (const [i, answer] of answers.entries()) {
      const { name, failed } = DIALECTS[i] as Dialect
      expect([answer.status, failed(answer)], `${name}: ${answer.text}`).to.deep.equal([504, true])
      expect(answer.headers.get('x-error-code')).to.equal('ERR_DEADLINE')
    }
  })

  it('answers requests in the order of their arrival', async () => {
    const { hostname, port } = new URL(service.url)
    const socket = connect(Number(port), hostname).resume()
    const sent = ['0', '1', '2', '3', '4', '5']
    socket.write(Buffer.concat(sent.map((text) => requestBytes(service.url, 'POST /ordered', [], text))))
    const done = () => {
      const lines = readFileSync(record, 'utf8').trim().split('\n')
      return lines.length === sent.length && lines
    }
    await until(
      () => stats(service, 'ordered').then(({ queued, inFlight }) => queued + inFlight === 0),
      'the last',
    )
    expect(await until(done, 'the record')).to.deep.equal(sent)
    socket.destroy()
  })

  it('answers 503 in the shape of each dialect while a model is loading or has failed', async () => {
    for (const model of ['starting', 'failed']) {
      for (const { name, send, failed } of DIALECTS) {
        const answer = await send(service.url, `model=${model}`, 'x')
        expect([answer.status, failed(answer)], `${model} at ${name}: ${answer.text}`).to.deep.equal([
          503,
          true,
        ])
      }
    }
    const answer = await ask(service.url, 'POST /starting', [], 'x')
    expect(answer.headers.get('retry-after')).to.match(/^\d+$/)
    expect(answer.text).to.contain('reading weights')
  })

  it('answers 413 to a too large body in the shape of each dialect', async () => {
    for (const { name, send, failed } of DIALECTS) {
      const answer = await send(service.url, 'model=slow', Buffer.alloc(5000))
      expect([answer.status, failed(answer)], `${name}: ${answer.text}`).to.deep.equal([413, true])
      expect(answer.headers.get('x-error-code')).to.equal('ERR_BODY_TOO_LARGE')
    }
  })

  it('downloads nothing from private networks, files and metadata services', async () => {
    const { port } = new URL(service.url)
    const urls = [
      service.url,
      'http://localhost/',
      `http://127.0.0.1/`,
      `http://127.0.0.1:${port}/healthz`,
      'http://127.1/',
      'http://0/',
      'http://2130706433/',
      'http://0x7f000001/',
      'http://0177.0.0.1/',
      'http://[::1]/',
      'http://[::ffff:127.0.0.1]/',
      'http://[::ffff:7f00:1]/',
      'http://[64:ff9b::7f00:1]/',
      'http://[fe80::1]/',
      'http://[fd00::1]/',
      'http://10.0.0.1/',
      'http://172.16.0.1/',
      'http://192.168.0.1/',
      'http://100.64.0.1/',
      'http://169.254.169.254/latest/meta-data/iam/',
      'http://metadata.google.internal/computeMetadata/v1/',
      'http://user:secret@127.0.0.1/',
      'file:///etc/passwd',
      'file://127.0.0.1/etc/passwd',
      'ftp://127.0.0.1/',
      'gopher://127.0.0.1/_x',
      'unix:/var/run/docker.sock',
      '/etc/passwd',
      '//127.0.0.1/',
    ]
    const form = ['Content-Type: application/x-www-form-urlencoded']
    const answers = await Promise.all(
      urls.map((url) => ask(service.url, 'POST /vgg?model=ordered', form, `url=${encodeURIComponent(url)}`)),
    )
    for (const [i, answer] of answers.entries()) {
      expect(answer.status, `${urls[i]}: ${answer.text}`).to.be.oneOf([400, 422])
      expect(answer.headers.get('x-error-code')).to.match(/^ERR_URL_(FETCH|INVALID)$/)
    }
    const infer = await ask(
      service.url,
      'POST /api/infer?model=ordered',
      [],
      JSON.stringify({ images: urls }),
    )
    const expected = urls.map((url) => ({ url, Error: 'Invalid URL' }))
    expect(infer.json()).to.deep.equal({ results: expected })
  })
})

describe('A worker that dies', () => {
  let service: Service
  before(async () => {
    service = await startService({
      ...scriptedModels({ mortal: { predictMs: 150, exitOn: 'poison' } }),
      MAX_BATCH: '4',
    })
    await allReady(service)
  })
  after(() => service.stop())

  it('by a kill signal loses no answer: the batch is computed again', async () => {
    const inputs = Array.from({ length: 8 }, (_, i) => `input ${i}`)
    const answers = inputs.map((input) => ask(service.url, 'POST /mortal', [], input))
    await until(async () => (await stats(service, 'mortal')).inFlight > 0, 'a batch')
    const { pid } = await service.line('child started')
    process.kill(Number(pid), 'SIGKILL')
    const told = (await Promise.all(answers)).map(
      (answer) => (answer.json() as { prediction: string }).prediction,
    )
    expect(told).to.deep.equal(inputs)
  })

  it('twice on the same input fails only the request with that input', async () => {
    const { headers, body } = fileAs('requests', 'image', 'poison')
    const poisoned = ask(service.url, 'POST /api/predict', headers, body)
    const inputs = ['a', 'b', 'c']
    const answers = inputs.map((input) => ask(service.url, 'POST /mortal', [], input))
    const told = (await Promise.all(answers)).map(
      (answer) => (answer.json() as { prediction: string }).prediction,
    )
    expect(told).to.deep.equal(inputs)
    const { status, text, headers: its } = await poisoned
    expect([status, its.get('x-error-code')]).to.deep.equal([502, 'ERR_CHILD_EXIT'])
    expect(text).to.contain('"success":false')
    expect((await ask(service.url, 'POST /mortal', [], 'after')).status).to.equal(200)
  })
})

async function sendFile(
  url: string,
  path: string,
  field: string,
  bytes: Buffer | string,
): Promise<RawAnswer> {
  const { headers, body } = fileAs('requests', field, bytes)
  return ask(url, `POST ${path}`, headers, body)
}

interface Stats {
  state: string
  queued: number
  inFlight: number
}

async function stats({ url }: Service, model: string): Promise<Stats> {
  const { models } = (await ask(url, 'GET /readyz')).json() as { models: Record<string, Stats> }
  return models[model] ?? { state: 'unknown', queued: 0, inFlight: 0 }
}

async function states({ url }: Service): Promise<Record<string, string>> {
  const { models } = (await ask(url, 'GET /readyz')).json() as { models: Record<string, Stats> }
  return Object.fromEntries(Object.entries(models).map(([name, { state }]) => [name, state]))
}

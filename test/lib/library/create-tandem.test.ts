import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import Koa from 'koa'
import { createTandem, type Tandem } from '../../../lib/library/create-tandem.ts'
import { codeOf } from '../../support/broker.ts'
import { drawn, encoded, inked } from '../../support/digits.ts'
import { fixture } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const SIDE = 100

describe('createTandem', () => {
  const folder = temporaryFolder()
  const words: string[] = []
  let tandem: Tandem
  let seven: Buffer
  const path = join(folder, 'seven.png')

  before(async () => {
    seven = await encoded(inked(drawn({ digit: 7, width: SIDE }), 255, 0), SIDE, SIDE)
    writeFileSync(path, seven)
    mkdirSync(join(folder, 'weights'))
    tandem = await createTandem({
      models: ['digits'],
      weightsDir: join(folder, 'weights'),
      spareChildren: 0,
      maxBatch: 2,
      onProgress: (model, word) => words.push(`${model}: ${word}`),
    })
  })
  after(() => tandem?.close())

  it('resolves when the models are ready, and tells of their progress', () => {
    expect(tandem.models).to.have.length(1)
    expect(tandem.models[0]).to.deep.include({ name: 'digits', state: 'ready', engine: 'onnx' })
    expect(tandem.models[0]?.labels).to.deep.equal([...'0123456789'])
    expect(words.some((word) => word.startsWith('digits: '))).to.equal(true)
  })

  it('classifies bytes, a path, a file address, a data address and a Blob', async () => {
    const data = `data:image/png;base64,${seven.toString('base64')}`
    for (const picture of [seven, path, pathToFileURL(path), data, new Blob([new Uint8Array(seven)])]) {
      const { guesses, model, timing, version } = await tandem.classify('digits', picture, { top: 2 })
      expect(guesses.map(({ label }) => label)).to.have.length(2)
      expect(guesses[0]).to.include({ label: '7', index: 7 })
      expect(model).to.equal('digits')
      expect(timing.total).to.be.above(0)
      expect(version).to.match(/^[0-9a-f]{16}$/)
    }
  })

  it('gives only guesses above the threshold', async () => {
    const { guesses } = await tandem.classify('digits', seven, { threshold: 0.5 })
    expect(guesses.map(({ label }) => label)).to.deep.equal(['7'])
  })

  it('rejects with a code', async () => {
    const aborted = AbortSignal.abort()
    expect(await codeOf(tandem.classify('cats', seven))).to.equal('ERR_MODEL_UNKNOWN')
    expect(await codeOf(tandem.classify('digits', Buffer.from('no picture')))).to.equal('ERR_IMAGE_TYPE')
    expect(await codeOf(tandem.classify('digits', join(folder, 'none.png')))).to.equal('ERR_FILE')
    expect(await codeOf(tandem.classify('digits', undefined as never))).to.equal('ERR_INPUT_MISSING')
    expect(await codeOf(tandem.classify('digits', 'http://127.0.0.1:9/a.png'))).to.equal('ERR_URL_FETCH')
    expect(await codeOf(tandem.classify('digits', seven, { signal: aborted }))).to.equal('ERR_ABORTED')
  })

  it('classifies many pictures in their order, each with its own error', async () => {
    const inputs = [path, join(folder, 'none.png'), seven, Buffer.from('no picture'), path]
    const results = []
    for await (const one of tandem.classifyAll('digits', inputs, { top: 1 })) results.push(one)
    expect(results.map(({ at, ok }) => [at, ok])).to.deep.equal([
      [0, true],
      [1, false],
      [2, true],
      [3, false],
      [4, true],
    ])
    expect(results.map(({ input }) => input)).to.deep.equal(inputs)
    const codes = results.flatMap((one) => (one.ok ? [] : [one.error.code]))
    expect(codes).to.deep.equal(['ERR_FILE', 'ERR_IMAGE_TYPE'])
  })

  it('takes pictures only as fast as results are read', async () => {
    let taken = 0
    let isClosed = false
    function* endless() {
      try {
        for (;;) {
          taken++
          yield path
        }
      } finally {
        isClosed = true
      }
    }
    let read = 0
    for await (const one of tandem.classifyAll('digits', endless(), { concurrency: 3 })) {
      expect(one.ok).to.equal(true)
      expect(taken).to.be.at.most(read + 3)
      if (++read === 10) break
    }
    expect(isClosed).to.equal(true)
    const wrong = tandem.classifyAll('digits', [path], { concurrency: 0 }).next()
    expect(await wrong.catch((error) => error)).to.be.instanceOf(RangeError)
  })

  describe('over HTTP', () => {
    const servers: Server[] = []
    after(() => {
      for (const server of servers) server.close().closeAllConnections()
    })
    const listen = async (server: Server) => {
      servers.push(server)
      await once(server.listen(0, '127.0.0.1'), 'listening')
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    }
    const classify = async (url: string) => {
      const answer = await fetch(url, { method: 'POST', body: new Uint8Array(seven) })
      return { status: answer.status, body: (await answer.json()) as { predictions?: { label: string }[] } }
    }

    it('is a listener of node:http, with the pages', async () => {
      const url = await listen(createServer(tandem.handler()))
      expect((await classify(`${url}/digits`)).body.predictions?.[0]?.label).to.equal('7')
      const page = await fetch(`${url}/digits`, { headers: { Accept: 'text/html' } })
      expect(await page.text()).to.match(/^<!doctype html>/i)
    })

    it('is a middleware of Koa below a prefix, and leaves other paths to the application', async () => {
      const app = new Koa()
      const after: string[] = []
      app.use(async (ctx, next) => {
        await next()
        after.push(`${ctx.method} ${ctx.originalUrl} ${ctx.res.statusCode}`)
      })
      app.use(tandem.koa({ prefix: '/ai' }) as Koa.Middleware)
      app.use((ctx) => {
        ctx.body = `own ${ctx.path}`
      })
      const url = await listen(createServer(app.callback()))
      expect((await classify(`${url}/ai/digits?top=1`)).body.predictions).to.have.length(1)
      expect(await (await fetch(`${url}/other`)).text()).to.equal('own /other')
      expect(await (await fetch(`${url}/aix`)).text()).to.equal('own /aix')
      // A page has links that would lead out of the prefix.
      const page = await fetch(`${url}/ai/digits`, { headers: { Accept: 'text/html' } })
      expect([page.status, ((await page.json()) as { error: { code: string } }).error.code]).to.deep.equal([
        405,
        'ERR_METHOD_NOT_ALLOWED',
      ])
      expect((await fetch(`${url}/ai/models`)).status).to.equal(200)
      expect(after[0]).to.equal('POST /ai/digits?top=1 200')
    })

    it('passes requests outside of the prefix on to the next handler, as Express wants', async () => {
      const handler = tandem.handler({ prefix: '/ai' })
      const url = await listen(
        createServer((request, response) => handler(request, response, () => response.end('next'))),
      )
      expect(await (await fetch(`${url}/else`)).text()).to.equal('next')
      expect((await classify(`${url}/ai/digits`)).status).to.equal(200)
    })
  })

  it('refuses settings that are wrong, with the code ERR_CONFIG', async () => {
    const wrong: [object, RegExp][] = [
      [{ models: [] }, /^models must be .*, but is empty\.$/s],
      [{ models: ['digits', 'digits'] }, /^models must be/],
      [{ models: ['UPPER'] }, /^models must be/],
      [{ models: ['digits'], maxBatch: 0 }, /^maxBatch must be a whole number from 1 to 1024, but is "0"\.$/],
      [{ models: ['digits'], role: 'web' }, /^There is no setting "role"/],
      [{ models: ['digits'], maxBach: 1 }, /^There is no setting "maxBach"; did you mean "maxBatch"\?$/],
    ]
    for (const [options, message] of wrong) {
      const error = await createTandem(options as never).catch((error) => error)
      expect(error.code, JSON.stringify(options)).to.equal('ERR_CONFIG')
      expect(error.message).to.match(message)
    }
  })

  it('rejects with the reason if a model cannot be loaded, and leaves no process', async () => {
    const failed = createTandem({
      models: ['digits', { name: 'own', path: './none, of these.onnx' }],
      weightsDir: join(folder, 'weights'),
      spareChildren: 0,
    })
    const error = await failed.catch((error) => error)
    expect(error.code).to.equal('ERR_MODEL_LOAD')
    expect(error.message).to.contain('none, of these.onnx')
  })

  it('serves a pipeline of the user, and closes it', async () => {
    const pipeline = fixture('guesses.ts')
    const own = await createTandem({ models: ['cats'], pipeline, spareChildren: 0 })
    const { guesses } = await own.classify('cats', Buffer.from('tiger'), { threshold: 0.1 })
    expect(guesses.map(({ label }) => label)).to.deep.equal(['tiger', 'not tiger 1'])
    expect((await own.classify('cats', Buffer.from('odd'))).value).to.deep.equal({ odd: true })
    await own.close()
    expect(await codeOf(own.classify('cats', Buffer.from('tiger')))).to.equal('ERR_CLOSED')
  })
})

import { once } from 'node:events'
import { cpSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect } from 'chai'
import Koa from 'koa'
import { createTandem, describeError, type LogLine, type Tandem } from '../../../lib/library/create-tandem.ts'
import { drawn, encoded, inked } from '../../support/digits.ts'
import { fixture, until } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const DIGITS = fileURLToPath(new URL('../../../weights/digits', import.meta.url))
const WORDS = ['nil', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
const SIDE = 64

describe('createTandem', () => {
  const folder = temporaryFolder()
  const path = join(folder, 'seven.png')
  const lines: LogLine[] = []
  let tandem: Tandem
  let seven: Buffer
  let hooks: Record<string, number>

  const warnings: string[] = []
  const onWarning = ({ name }: Error) => warnings.push(name)

  const hooksNow = () =>
    Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]))

  before(async () => {
    seven = await encoded(inked(drawn({ digit: 7, width: SIDE }), 255, 0), SIDE, SIDE)
    writeFileSync(path, seven)
    cpSync(DIGITS, join(folder, 'mine'), { recursive: true })
    process.on('warning', onWarning)
    hooks = hooksNow()
    tandem = await createTandem({
      models: [
        'digits',
        { name: 'words', path: join(folder, 'mine/model.json'), subject: 'digit', labels: WORDS, top: 2 },
      ],
      weightsDir: folder,
      device: 'cpu',
      spareChildren: 0,
      tuningMs: 0,
      maxBatch: 2,
      maxQueue: 1,
      onLog: (line) => lines.push(line),
    })
  })
  after(() => {
    process.off('warning', onWarning)
    return tandem?.close()
  })

  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => 'none',
      (error: { code?: unknown }) => error.code,
    )

  it('resolves when all models are ready, and tells what is known of them', () => {
    expect(tandem.models.map(({ name, state }) => [name, state])).to.deep.equal([
      ['digits', 'ready'],
      ['words', 'ready'],
    ])
    const [digits, words] = tandem.models
    expect(digits).to.include({ engine: 'onnx', device: 'cpu', error: null })
    expect(words?.labels).to.deep.equal(WORDS)
  })

  it('classifies bytes, blobs, files and data addresses', async () => {
    const pictures = {
      'a Buffer': seven,
      'an ArrayBuffer': Uint8Array.from(seven).buffer,
      'a Blob': new Blob([Uint8Array.from(seven)]),
      'a path': path,
      'a file: URL': pathToFileURL(path),
      'a data: URL': `data:image/png;base64,${seven.toString('base64')}`,
      'a client’s address': { url: `data:image/png;base64,${seven.toString('base64')}` },
    }
    for (const [what, picture] of Object.entries(pictures)) {
      const { guesses, model, version, timing } = await tandem.classify('digits', picture, { top: 1 })
      expect(
        guesses.map(({ label }) => label),
        what,
      ).to.deep.equal(['7'])
      expect(model).to.equal('digits')
      expect(version).to.match(/^[0-9a-f]{16}$/)
      expect(timing.total).to.be.greaterThan(0)
    }
  })

  it('follows the settings of a model that are given with the model', async () => {
    const { guesses } = await tandem.classify('words', seven)
    expect(guesses).to.have.length(2)
    expect(guesses[0]?.label).to.equal('seven')
  })

  it('gives as many guesses as are wanted, above a threshold', async () => {
    expect((await tandem.classify('digits', seven, { top: 10 })).guesses).to.have.length(10)
    const sure = await tandem.classify('digits', seven, { threshold: 0.5 })
    expect(sure.guesses.map(({ label }) => label)).to.deep.equal(['7'])
  })

  it('rejects with the codes of docs/errors.md', async () => {
    expect(await codeOf(tandem.classify('dogs', seven))).to.equal('ERR_MODEL_UNKNOWN')
    expect(await codeOf(tandem.classify('digits', Buffer.from('no image')))).to.equal('ERR_IMAGE_TYPE')
    expect(await codeOf(tandem.classify('digits', join(folder, 'none.png')))).to.equal('ERR_FILE')
    expect(await codeOf(tandem.classify('digits', 7 as never))).to.equal('ERR_INPUT_MISSING')
    expect(await codeOf(tandem.classify('digits', seven, { top: 0 }))).to.equal('ERR_BAD_REQUEST')
    expect(await codeOf(tandem.classify('digits', seven, { threshold: 2 }))).to.equal('ERR_BAD_REQUEST')
    expect(await codeOf(tandem.embed('digits', seven))).to.equal('ERR_MODEL_KIND')
    expect(await codeOf(tandem.call('digits', seven))).to.equal('ERR_OPTION')
  })

  it('refuses addresses inside the own network, and files where a client’s address is expected', async () => {
    expect(await codeOf(tandem.classify('digits', 'http://127.0.0.1:9/7.png'))).to.equal('ERR_URL_INVALID')
    expect(await codeOf(tandem.classify('digits', 'http://127.0.0.1/7.png'))).to.equal('ERR_URL_FETCH')
    expect(await codeOf(tandem.classify('digits', { url: path }))).to.equal('ERR_URL_INVALID')
    expect(await codeOf(tandem.classify('digits', { url: pathToFileURL(path).href }))).to.equal(
      'ERR_URL_INVALID',
    )
  })

  it('gives a call up when its signal is aborted', async () => {
    const before = AbortSignal.abort(new Error('not wanted'))
    expect(await codeOf(tandem.classify('digits', seven, { signal: before }))).to.equal('ERR_ABORTED')
    const control = new AbortController()
    const picture = await encoded(inked(drawn({ digit: 1, width: 300 }), 255, 0), 300, 300)
    const call = codeOf(tandem.classify('digits', picture, { signal: control.signal }))
    control.abort()
    expect(await call).to.equal('ERR_ABORTED')
  })

  it('describes an error as the service would answer it', async () => {
    const error = await tandem.classify('dogs', seven).catch((error: unknown) => error)
    expect(describeError(error)).to.include({ status: 404, code: 'ERR_MODEL_UNKNOWN' })
    expect(describeError(new Error('a secret'))).to.include({ status: 500, code: 'ERR_INTERNAL' })
  })

  describe('classifyAll', () => {
    it('gives one result for each picture, in order, each ok or with its own error', async () => {
      const pictures = [path, join(folder, 'none.png'), seven, Buffer.from('no image'), path]
      const seen: unknown[] = []
      for await (const one of tandem.classifyAll('words', pictures, { top: 1 })) {
        expect(one.input).to.equal(pictures[one.at])
        seen.push(one.ok ? one.guesses[0]?.label : one.error.code)
      }
      expect(seen).to.deep.equal(['seven', 'ERR_FILE', 'seven', 'ERR_IMAGE_TYPE', 'seven'])
    })

    it('takes pictures from an endless list only as fast as results are read', async () => {
      let taken = 0
      async function* pictures() {
        for (;;) {
          taken++
          yield seven
        }
      }
      let read = 0
      for await (const one of tandem.classifyAll('digits', pictures(), { concurrency: 3 })) {
        expect(one.ok).to.equal(true)
        if (++read === 20) break
      }
      expect(taken).to.be.within(20, 20 + 6)
    })

    it('waits while the queue is full of the calls of others', async () => {
      // Four calls in the child and one in the queue: the others wait.
      const pictures = await Promise.all(Array.from({ length: 12 }, (_, i) => blank(SIDE + i)))
      const others = pictures.map((picture) => codeOf(tandem.classify('digits', picture)))
      const seen = []
      for await (const one of tandem.classifyAll('digits', pictures, { concurrency: 12 })) seen.push(one.ok)
      expect(seen).to.deep.equal(Array(12).fill(true))
      expect(await Promise.all(others)).to.include('ERR_QUEUE_FULL')
    })

    it('lets many calls share one signal without a warning of Node', async () => {
      const { signal } = new AbortController()
      for await (const one of tandem.classifyAll('digits', Array(30).fill(path), {
        signal,
        concurrency: 30,
      })) {
        expect(one.ok).to.equal(true)
      }
      const picture = await blank(SIDE + 20)
      await Promise.all(Array.from({ length: 30 }, () => tandem.classify('digits', picture, { signal })))
      await new Promise((resolve) => setImmediate(resolve))
      expect(warnings).to.deep.equal([])
    })

    it('ends with ERR_ABORTED when its signal is aborted', async () => {
      const control = new AbortController()
      const run = async () => {
        for await (const _ of tandem.classifyAll('digits', Array(50).fill(seven), control)) control.abort()
      }
      expect(await codeOf(run())).to.equal('ERR_ABORTED')
    })

    it('refuses an unknown model before it takes a picture', async () => {
      const untouched = { [Symbol.iterator]: () => expect.fail('a picture was taken') }
      expect(await codeOf(tandem.classifyAll('dogs', untouched).next())).to.equal('ERR_MODEL_UNKNOWN')
    })
  })

  it('installs no hooks in the process, and tells its log to the caller alone', () => {
    expect(hooksNow()).to.deep.equal(hooks)
    expect(lines.map(({ msg }) => msg)).to.include('model state')
    expect(lines.find(({ msg }) => msg === 'model state')).to.include({ level: 30, model: 'digits' })
  })

  it('rejects with the reason when a model cannot be started, and leaves no process behind', async () => {
    const wrong = { name: 'words', path: join(folder, 'mine/model.json'), labels: ['too', 'few'] }
    const pids: number[] = []
    const onLog = ({ msg, pid }: LogLine) => msg === 'child started' && pids.push(Number(pid))
    const options = { models: [wrong], weightsDir: folder, device: 'cpu', onLog } as const
    const error = await createTandem(options).catch((error: unknown) => error)
    expect(error).to.have.property('code', 'ERR_MODEL_SETTINGS')
    expect(String(error)).to.contain('has 2 labels')
    expect(pids).to.have.length(1)
    await until(() => !pids.some(isAlive), 'the end of the child')
    expect(await codeOf(createTandem(undefined as never))).to.equal('ERR_CONFIG')
  })

  it('need not wait: calls are refused until their model is ready', async () => {
    const key = 'a-key-of-24-characters-..'
    const pipeline = pathToFileURL(fixture('never-ready.ts'))
    await using starting = await createTandem({ models: ['later'], pipeline, wait: false, apiKeys: [key] })
    expect(starting.models.map(({ state }) => state)).to.deep.equal(['starting'])
    expect(await codeOf(starting.classify('later', seven))).to.equal('ERR_NOT_READY')
    const server = createServer(starting.handler()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models`
    expect((await fetch(url)).status).to.equal(401)
    expect((await fetch(url, { headers: { 'X-Api-Key': key } })).status).to.equal(200)
    server.close()
  })

  describe('over HTTP', () => {
    const servers: Server[] = []
    after(() => servers.forEach((server) => void server.close()))

    async function listening(server: Server): Promise<string> {
      servers.push(server)
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    }
    const post = (url: string, init: RequestInit = {}) =>
      fetch(url, { method: 'POST', body: Uint8Array.from(seven), ...init })
    const labelIn = async (answer: Response) =>
      ((await answer.json()) as { predictions: { label: string }[] }).predictions[0]?.label

    describe('in Koa', () => {
      let url: string
      const seen: unknown[] = []

      before(async () => {
        const app = new Koa()
        app.use(async (ctx, next) => {
          await next()
          seen.push([ctx.url, ctx.status, typeof ctx.body])
          ctx.set('X-Around', 'yes')
        })
        app.use(tandem.koa({ prefix: '/ai' }))
        app.use(tandem.koa())
        app.use((ctx) => {
          ctx.body = `own ${ctx.url}`
        })
        url = await listening(createServer(app.callback()))
      })

      it('answers below the prefix, and the middleware around it sees the answer', async () => {
        const answer = await post(`${url}/ai/digits?top=1`)
        expect(answer.status).to.equal(200)
        expect(answer.headers.get('X-Around')).to.equal('yes')
        expect(answer.headers.get('X-Request-Id')).to.be.a('string')
        expect(await labelIn(answer)).to.equal('7')
        expect(seen.at(-1)).to.deep.equal(['/ai/digits?top=1', 200, 'object'])
      })

      it('answers everything below the prefix, and passes all other paths on', async () => {
        const unknown = await post(`${url}/ai/dogs`)
        expect(unknown.status).to.equal(404)
        expect(await unknown.json()).to.have.nested.property('error.code', 'ERR_MODEL_UNKNOWN')
        expect(await (await fetch(`${url}/aimless`)).text()).to.equal('own /aimless')
        expect(await (await fetch(`${url}/dogs?a`)).text()).to.equal('own /dogs?a')
        // Without a prefix, the routes that there are.
        expect(await labelIn(await post(`${url}/digits`))).to.equal('7')
      })

      it('streams states, and has no pages', async () => {
        const headers = { Accept: 'application/x-ndjson' }
        const lines = (await (await post(`${url}/ai/words`, { headers })).text()).trim().split('\n')
        expect(JSON.parse(lines.at(-1) ?? '')).to.include({ state: 'done', model: 'words' })
        const browser = { Accept: 'text/html,application/xhtml+xml' }
        expect((await post(`${url}/ai/digits`, { headers: browser })).status).to.equal(406)
        expect((await fetch(`${url}/ai/digits`, { headers: browser })).status).to.equal(405)
        for (const page of ['/', '/docs', '/status', '/metrics', '/feedback', '/vgg']) {
          expect((await fetch(`${url}/ai${page}`)).status, page).to.equal(404)
        }
      })

      it('describes exactly the routes that it has', async () => {
        const { servers, paths } = (await (await fetch(`${url}/ai/openapi.json`)).json()) as {
          servers: unknown
          paths: Record<string, Record<string, unknown>>
        }
        expect(servers).to.deep.equal([{ url: '.' }])
        expect(Object.keys(paths)).to.have.members([
          '/healthz',
          '/readyz',
          '/openapi.json',
          '/models',
          '/digits',
          '/words',
          '/embed',
          '/labels/{model}',
        ])
        expect(Object.keys(paths['/digits'] ?? {})).to.deep.equal(['post'])
        expect(JSON.stringify(paths)).not.to.contain('text/html')
      })
    })

    it('is a listener for node:http, which answers every path, but outside of the prefix always with 404', async () => {
      const url = await listening(createServer(tandem.handler({ prefix: '/ai/' })))
      expect(await labelIn(await post(`${url}/ai/digits`))).to.equal('7')
      const outside = await post(`${url}/digits?a`)
      const { error } = (await outside.json()) as { error: Record<string, string> }
      expect(outside.status).to.equal(404)
      expect(error).to.include({ code: 'ERR_NOT_FOUND', message: 'Nothing is served at /digits.' })
      expect(error.requestId).to.equal(outside.headers.get('X-Request-Id'))
      expect((await fetch(`${url}/ai`)).status).to.equal(404)
      expect(await (await fetch(`${url}/ai/labels/words`)).json()).to.deep.equal(WORDS)
    })

    it('says so when another middleware has read the body before', async () => {
      const handler = tandem.handler()
      const url = await listening(
        createServer((req, res) => void req.resume().once('end', () => setImmediate(handler, req, res))),
      )
      const answer = await post(`${url}/digits`)
      expect(answer.status).to.equal(500)
      expect(await answer.json()).to.have.nested.property('error.code', 'ERR_BODY_USED')
    })

    it('refuses a prefix that is no path', () => {
      for (const prefix of ['ai', '/a?b', 7]) {
        expect(() => tandem.koa({ prefix: prefix as string }), String(prefix)).to.throw(
          /prefix must be a path/,
        )
      }
    })
  })

  describe('close', () => {
    it('waits for the accepted calls, and refuses further ones', async () => {
      // A file, because the call must count although its picture is still being read.
      const file = join(folder, 'last.png')
      writeFileSync(file, await blank(SIDE - 1))
      const call = tandem.classify('words', file)
      const closed = tandem.close()
      expect(tandem.close()).to.equal(closed)
      expect(await codeOf(tandem.classify('words', seven))).to.equal('ERR_CLOSED')
      expect((await call).guesses).to.have.length(2)
      await closed
      expect(tandem.models.map(({ state }) => state)).to.deep.equal(['closed', 'closed'])
    })
  })
})

/** A picture that no test before has shown to the models, so that no kept answer serves it. */
function blank(side: number): Promise<Buffer> {
  return encoded(new Uint8Array(side * side).fill(200), side, side)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

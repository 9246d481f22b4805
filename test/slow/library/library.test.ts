import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { build } from 'esbuild'
import { namedExamples } from '../../support/code-blocks.ts'
import { drawn, encoded, inked } from '../../support/digits.ts'
import { PLACES } from '../../support/environment.ts'
import { ROOT } from '../../support/import-graph.ts'
import { closeAfterRun } from '../../support/leftovers.ts'
import { type Packed, packedPackage } from '../../support/packed.ts'
import { until } from '../../support/service.ts'
import { writeBrightness } from '../../support/write-brightness.ts'

const run = promisify(execFile)
const SIDE = 100
const START_WITHIN_MS = 60_000
/** Packages of the programs in the examples. */
const OF_USERS = ['express', 'fastify', 'hono']

describe('The library, installed in an empty folder', function () {
  this.timeout(120_000)
  const examples = namedExamples('docs/library.md')
  const ran = new Set<string>()
  let packed: Packed
  let seven: Buffer
  const at = (...path: string[]) => join(packed.folder, ...path)

  before(async () => {
    packed = await packedPackage()
    for (const name of OF_USERS) symlinkSync(join(ROOT, 'node_modules', name), at('node_modules', name))
    seven = await picture({ digit: 7 })
    writeFileSync(at('seven.png'), seven)
    writeFileSync(at('thin-seven.png'), await picture({ digit: 7, pen: 0.07 }))
    writeFileSync(at('one.png'), await picture({ digit: 1 }))
    for (const [name, code] of examples) writeFileSync(at(name), code)
    for (const file of ['safety.h5', 'careful.h5']) await writeBrightness(at(file))
  })

  const env = (more: Record<string, string> = {}) => ({ ...PLACES, ...more })
  const node = (...args: string[]) => run(process.execPath, args, { cwd: packed.folder, env: env() })
  const example = (name: string) => {
    expect([...examples.keys()]).to.include(name)
    ran.add(name)
    return name
  }
  const write = (name: string, code: string) => {
    writeFileSync(at(name), code)
    return name
  }

  it('classifies a picture, prints nothing itself, and ends', async () => {
    expect(await node(example('first.mjs'))).to.deep.equal({ stdout: '7 true\n', stderr: '' })
  })

  it('runs as the README says', async () => {
    const page = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const [, code = ''] = /```js\n(import \{ createTandem[\s\S]*?)```/.exec(page) ?? []
    expect((await node(write('readme.mjs', code))).stdout).to.equal('7\n')
  })

  it('writes the guesses of a folder into a file of CSV', async () => {
    mkdirSync(at('inbox'))
    writeFileSync(at('inbox/a, "seven".png'), seven)
    writeFileSync(at('inbox/broken.png'), 'no image')
    writeFileSync(at('inbox/notes.txt'), 'no picture')
    const error = await node(example('batch.mjs')).catch((error) => error)
    expect(error).to.include({ code: 1, stdout: '', stderr: '' })
    const rows = readFileSync(at('night.csv'), 'utf8').trimEnd().split('\r\n').sort()
    expect(rows).to.have.length(3)
    expect(rows[0]).to.match(/^"inbox\/a, ""seven""\.png",7,0\.\d+,$/)
    expect(rows[1]).to.equal('file,label,probability,error')
    expect(rows[2]).to.equal('inbox/broken.png,,,ERR_IMAGE_TYPE')
  })

  describe('in a server', () => {
    const post = (url: string, body: Uint8Array, type = 'image/png') =>
      fetch(url, { method: 'POST', body: Uint8Array.from(body), headers: { 'Content-Type': type } })

    it('of Koa: an endpoint of one’s own, and the API', async () => {
      await using server = await started(example('koa.mjs'))
      const cheque = await post(`${server.url}/cheque`, seven)
      expect(await cheque.json()).to.deep.equal({ amount: 7, isSure: true })
      const large = await post(`${server.url}/cheque`, new Uint8Array(2 ** 20 + 1))
      expect([large.status, await large.json()]).to.deep.equal([
        413,
        { code: 'ERR_BODY_TOO_LARGE', message: 'The picture is too large.' },
      ])
      const models = await fetch(`${server.url}/ai/models`)
      expect(await models.json()).to.have.nested.property('models[0].name', 'digits')
      expect((await post(`${server.url}/ai/digits`, new Uint8Array(2 ** 20 + 1))).status).to.equal(413)
    })

    it('of Express: uploads that a model refuses, and the API', async () => {
      await using server = await started(example('express.mjs'))
      const bright = await encoded(new Uint8Array(SIDE * SIDE).fill(255), SIDE, SIDE)
      const dark = await encoded(new Uint8Array(SIDE * SIDE), SIDE, SIDE)
      const fine = await post(`${server.url}/uploads`, bright)
      expect([fine.status, await fine.json()]).to.deep.equal([201, { bytes: bright.length }])
      expect((await post(`${server.url}/uploads`, dark)).status).to.equal(422)
      const none = await post(`${server.url}/uploads`, Buffer.from('no image'))
      expect([none.status, await none.json()]).to.have.nested.property('[1].code', 'ERR_IMAGE_TYPE')
      expect((await post(`${server.url}/uploads`, new Uint8Array(11 * 2 ** 20))).status).to.equal(413)
      const api = await post(`${server.url}/ai/safety`, bright, 'application/octet-stream')
      expect(await api.json()).to.have.nested.property('predictions[0].label', 'fine')
      // Express answers what Tandem does not serve.
      expect(await (await fetch(`${server.url}/ai/none`)).text()).to.contain('Cannot GET /ai/none')
    })

    it('of Fastify: an endpoint of one’s own, and the API', async () => {
      await using server = await started(example('fastify.mjs'))
      expect(await (await post(`${server.url}/digit`, seven)).json()).to.have.property('label', '7')
      const none = await post(`${server.url}/digit`, Buffer.from('no image'))
      expect([none.status, await none.json()]).to.have.nested.property('[1].code', 'ERR_IMAGE_TYPE')
      const form = new FormData()
      form.set('image', new Blob([Uint8Array.from(seven)]), 'seven.png')
      const api = await fetch(`${server.url}/ai/digits`, { method: 'POST', body: form })
      expect(await api.json()).to.have.nested.property('predictions[0].label', '7')
      const json = JSON.stringify({ url: `data:image/png;base64,${seven.toString('base64')}` })
      const address = await post(`${server.url}/ai/digits`, Buffer.from(json), 'application/json')
      expect(await address.json()).to.have.nested.property('predictions[0].label', '7')
    })

    it('of Hono, and in a route handler of Next.js', async () => {
      const code = `
        import { readFileSync } from 'node:fs'
        import { app, tandem } from './${example('hono.mjs')}'
        import { POST } from './${example('route.mjs')}'
        const asked = (body) => ({ method: 'POST', body })
        const seven = readFileSync('seven.png')
        const all = []
        for (const body of [seven, 'no image']) {
          all.push(await app.request('/digit', asked(body)), await POST(new Request('http://localhost/digit', asked(body))))
        }
        console.log(JSON.stringify(await Promise.all(all.map(async (a) => [a.status, await a.json()]))))
        await tandem.close()
        await (await globalThis.tandem).close()`
      const { stdout } = await node(write('ask.mjs', code))
      const [hono, next, badHono, badNext] = JSON.parse(stdout)
      expect(hono).to.have.nested.property('[1].label', '7')
      expect(next).to.have.nested.property('[1].guesses[0].label', '7')
      for (const bad of [badHono, badNext]) {
        expect(bad[0]).to.equal(415)
        expect(bad[1].code).to.equal('ERR_IMAGE_TYPE')
      }
    })

    it('is asked by the client', async () => {
      await using server = await started(example('koa.mjs'))
      const args = [example('client.mjs')]
      const { stdout } = await run(process.execPath, args, {
        cwd: packed.folder,
        env: env({ TANDEM_URL: `${server.url}/ai` }),
      })
      const lines = stdout.trimEnd().split('\n')
      expect(lines[0]).to.equal('digits 7')
      expect(lines.slice(-2)).to.deep.equal(['done', 'true ERR_MODEL_UNKNOWN 404'])
    })
  })

  describe('with a pipeline of one’s own', () => {
    it('compares pictures by their features', async () => {
      example('embedding.mjs')
      expect((await node(example('search.mjs'))).stdout).to.equal('true\n')
    })

    it('asks a second model where the first one is not sure', async () => {
      const code = `
        import { createTandem } from 'tandem-serve'
        const tandem = await createTandem({ models: ['both'], pipeline: new URL('./${example('cascade.mjs')}', import.meta.url) })
        const labels = []
        for await (const one of tandem.classifyAll('both', ['seven.png', 'blank.png', 'one.png'])) labels.push(one.guesses[0].label)
        console.log(labels.join())
        await tandem.close()`
      writeFileSync(at('blank.png'), await encoded(new Uint8Array(SIDE * SIDE).fill(255), SIDE, SIDE))
      expect((await node(write('both.mjs', code))).stdout).to.equal('7,bright,1\n')
    })

    it('is written in 30 lines', () => {
      for (const name of ['embedding.mjs', 'cascade.mjs']) {
        expect(examples.get(name)?.trim().split('\n').length, name).to.be.at.most(30)
      }
    })
  })

  const CLASSIFY = `
    const tandem = await createTandem({ models: ['digits'], spareChildren: 0 })
    const { guesses } = await tandem.classify('digits', 'seven.png')
    await tandem.close()`

  it('works in a worker thread', async () => {
    const code = `
      import { isMainThread, parentPort, Worker } from 'node:worker_threads'
      import { createTandem } from 'tandem-serve'
      if (isMainThread) new Worker(new URL(import.meta.url)).on('message', (label) => console.log(label))
      else {
        ${CLASSIFY}
        parentPort.postMessage(guesses[0].label)
      }`
    expect(await node(write('worker.mjs', code))).to.deep.equal({ stdout: '7\n', stderr: '' })
  })

  it('works under node --test', async () => {
    const code = `
      import assert from 'node:assert'
      import { test } from 'node:test'
      import { createTandem } from 'tandem-serve'
      test('classifies', async () => {
        ${CLASSIFY}
        assert.equal(guesses[0].label, '7')
      })`
    expect((await node('--test', write('digits.test.mjs', code))).stdout).to.match(/pass 1\b[\s\S]*fail 0\b/)
  })

  it('can be required from CommonJS, each entry of it', async () => {
    const code = `
      for (const entry of ['/broker', '/client', '/fleet', '/pipeline']) {
        if (Object.keys(require('tandem-serve' + entry)).length === 0) throw new Error(entry)
      }
      const { createTandem } = require('tandem-serve')
      ;(async () => {
        ${CLASSIFY}
        console.log(guesses[0].label)
      })()`
    expect((await node(write('common.cjs', code))).stdout).to.equal('7\n')
  })

  it('is left external by a bundler, which takes in the client', async () => {
    await build({
      entryPoints: [at('first.mjs')],
      outfile: at('bundled.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['tandem-serve'],
    })
    expect((await node('bundled.mjs')).stdout).to.equal('7 true\n')
    const { metafile } = await build({
      stdin: { contents: "export { TandemClient } from 'tandem-serve/client'", resolveDir: packed.folder },
      outfile: at('browser.mjs'),
      bundle: true,
      platform: 'browser',
      format: 'esm',
      metafile: true,
    })
    // Only the client itself, without packages and modules of Node.
    expect(Object.keys(metafile.inputs).map((path) => path.replace(/^.*(?=dist\/)/, ''))).to.deep.equal([
      'dist/client/client.js',
      '<stdin>',
    ])
    const { stdout } = await node(
      '-e',
      "import('./browser.mjs').then((all) => console.log(Object.keys(all).join()))",
    )
    expect(stdout).to.equal('TandemClient\n')
  })

  it('has strict types for a program in TypeScript, without the types of Koa and Express', async () => {
    const code = `
      import { createServer } from 'node:http'
      import { createTandem, describeError, type Classified, type Guess } from 'tandem-serve'
      import { TandemClient, type ModelAnswer } from 'tandem-serve/client'
      import { type MakePipeline, openModel } from 'tandem-serve/pipeline'
      import { Broker } from 'tandem-serve/broker'

      const tandem = await createTandem({ models: ['digits', { name: 'pets', labels: ['cat'], crop: 'canvas' }], maxBodyBytes: '3mb' })
      const answer: Classified = await tandem.classify('digits', new Uint8Array(1), { top: 3, signal: AbortSignal.timeout(1) })
      const best: Guess | undefined = answer.guesses[0]
      for await (const one of tandem.classifyAll('digits', ['a.png'])) {
        if (one.ok) console.log(one.guesses, one.input.length, best)
        else console.log(one.error.code, describeError(one.error).status)
      }
      createServer(tandem.handler({ prefix: '/ai' }))
      const fromClient: ModelAnswer = await new TandemClient({ url: 'http://localhost' }).classify('digits', 'https://example.org/')
      console.log(fromClient.predictions?.[0]?.label)
      export const makePipeline = (async (options: { model: string }, { progress }) => {
        const model = await openModel(options, progress)
        return { predict: (batch: readonly unknown[]) => model.run(batch as Uint8Array[]), close: () => model.close() }
      }) satisfies MakePipeline
      console.log(new Broker({ pipeline: '/x.mjs' }).stats().state)

      // @ts-expect-error a typo
      await createTandem({ models: ['digits'], maxQueu: 3 })
      // @ts-expect-error a setting of the server
      await createTandem({ models: ['digits'], port: 80 })
      // @ts-expect-error a word that is none of the values
      await createTandem({ models: [{ name: 'pets', crop: 'centre' }], engine: 'onnx' })
      // @ts-expect-error no picture
      await tandem.classify('digits', 7)
      // @ts-expect-error guesses may be missing
      console.log(answer.guesses[0].label)`
    write('program.mts', code)
    const options = {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
    }
    const compilerOptions = {
      ...options,
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
    }
    const types = { types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] }
    // The libraries are checked too, but for those of others: what the package itself declares must be right.
    const config = {
      compilerOptions: { ...compilerOptions, ...types, skipLibCheck: true },
      files: ['program.mts'],
    }
    writeFileSync(at('tsconfig.json'), JSON.stringify(config))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const result = await node(tsc, '-p', 'tsconfig.json').catch((error) => error)
    expect(result.stdout).to.equal('')
  })

  describe('in its document', () => {
    it('has no example that is not run above', () => {
      expect([...ran].sort()).to.deep.equal([...examples.keys()].sort())
    })
  })

  /** A server of an example, on a free port. */
  async function started(file: string): Promise<AsyncDisposable & { readonly url: string }> {
    const url = `http://127.0.0.1:${await freePort()}`
    const child = spawn(process.execPath, [file], {
      cwd: packed.folder,
      env: env({ PORT: new URL(url).port }),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let complaints = ''
    child.stderr?.on('data', (text) => (complaints += text))
    const exit = once(child, 'exit')
    const closed = closeAfterRun(async () => void child.kill())
    await until(
      () =>
        fetch(url).then(
          () => true,
          () => child.exitCode !== null,
        ),
      `the server ${file}`,
      START_WITHIN_MS,
    )
    expect(child.exitCode, complaints).to.equal(null)
    return {
      url,
      async [Symbol.asyncDispose]() {
        closed()
        child.kill()
        await exit
      },
    }
  }
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function picture(drawing: { digit: 1 | 7; pen?: number }): Promise<Buffer> {
  return encoded(inked(drawn({ ...drawing, width: SIDE }), 255, 0), SIDE, SIDE)
}

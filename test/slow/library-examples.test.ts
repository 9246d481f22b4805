import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { PLACES } from '../support/environment.ts'
import { type Packed, packedPackage } from '../support/packed.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

describe('The examples of the documents, with the package in an empty folder', function () {
  this.timeout(120_000)
  let packed: Packed
  let examples: Map<string, string>
  let picture: Buffer
  const servers: ChildProcess[] = []

  before(async () => {
    packed = await packedPackage()
    picture = readFileSync(join(ROOT, 'public/digits-example.png'))
    copyFileSync(join(ROOT, 'public/digits-example.png'), join(packed.folder, 'photo.png'))
    for (const name of ['express', 'fastify', 'hono']) {
      symlinkSync(join(ROOT, 'node_modules', name), join(packed.folder, 'node_modules', name))
    }
    const page = readFileSync(join(packed.folder, 'node_modules/tandem-serve/docs/library.md'), 'utf8')
    examples = new Map(
      [...page.matchAll(/`(\w+\.mjs)`[^`]*(?:`[^`\n]+`[^`]*)*```js\n(.*?)```/gs)].map(
        ([, name = '', code = '']) => [name, code],
      ),
    )
    for (const [name, code] of examples) writeFileSync(join(packed.folder, name), code)
  })
  after(() => {
    for (const server of servers) server.kill()
  })

  const file = (name: string) => join(packed.folder, name)
  const runExample = async (name: string, env: Record<string, string> = {}) => {
    expect(examples.has(name), name).to.equal(true)
    const options = { cwd: packed.folder, env: { ...PLACES, ...env } }
    return (await run(process.execPath, [name], options)).stdout.trimEnd()
  }
  const serve = async (name: string) => {
    const port = await freePort()
    const env = { ...PLACES, PORT: String(port) }
    servers.push(
      spawn(process.execPath, [file(name)], {
        cwd: packed.folder,
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    )
    const url = `http://127.0.0.1:${port}`
    for (;;) {
      const answer = await fetch(url).catch(() => undefined)
      if (answer !== undefined) return url
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const post = (url: string) =>
    fetch(url, { method: 'POST', headers: { 'Content-Type': 'image/png' }, body: new Uint8Array(picture) })

  it('are all run here', () => {
    expect([...examples.keys()]).to.deep.equal([
      'classify.mjs',
      'many.mjs',
      'koa.mjs',
      'express.mjs',
      'fastify.mjs',
      'hono.mjs',
      'route.mjs',
      'cascade.mjs',
      'colours.mjs',
      'own.mjs',
      'client.mjs',
    ])
  })

  it('classify.mjs prints what the page says, and nothing else', async () => {
    expect(await runExample('classify.mjs')).to.equal('7 true true')
  })

  it('many.mjs has a line for each picture', async () => {
    expect(await runExample('many.mjs')).to.equal('photo.png 7\nnone.png ERR_FILE')
  })

  it('own.mjs loads cascade.mjs and colours.mjs', async () => {
    expect(await runExample('own.mjs')).to.equal('7\n8')
  })

  it('koa.mjs has the API below /ai, and its own page; client.mjs asks it', async () => {
    const url = await serve('koa.mjs')
    expect(await (await fetch(`${url}/`)).text()).to.equal('my own page')
    expect(((await (await post(`${url}/ai/digits`)).json()) as { model: string }).model).to.equal('digits')
    const lines = (await runExample('client.mjs', { TANDEM_URL: `${url}/ai` })).split('\n')
    expect([lines[0], lines.at(-1)]).to.deep.equal(['7', 'done'])
  })

  it('express.mjs moderates uploads, and has the API below /ai', async () => {
    const url = await serve('express.mjs')
    const answer = await post(`${url}/uploads`)
    expect([answer.status, await answer.json()]).to.deep.equal([201, { isWanted: true }])
    expect((await post(`${url}/ai/digits`)).status).to.equal(200)
    expect((await fetch(`${url}/other`)).status).to.equal(404)
  })

  it('fastify.mjs classifies', async () => {
    const guesses = (await (await post(`${await serve('fastify.mjs')}/classify`)).json()) as {
      label: string
    }[]
    expect(guesses.map(({ label }) => label)).to.deep.equal(['7'])
  })

  // In one process of their own each, since they keep their models.
  for (const [name, call] of [
    ['hono.mjs', "(await import('./hono.mjs')).app.request('/classify', { method: 'POST', body })"],
    [
      'route.mjs',
      "(await import('./route.mjs')).POST(new Request('http://localhost', { method: 'POST', body }))",
    ],
  ] as const) {
    it(`${name} answers a request`, async () => {
      writeFileSync(
        file('call.mjs'),
        `import { readFileSync } from 'node:fs'
        const body = readFileSync('photo.png')
        console.log(JSON.stringify(await (await ${call}).json()))
        process.exit()`,
      )
      const { stdout } = await run(process.execPath, ['call.mjs'], { cwd: packed.folder, env: PLACES })
      expect(stdout).to.contain('"label":"7"')
    })
  }

  it('work under node --test, in a worker thread, and through require where Node has it', async () => {
    const check = `const tandem = await createTandem({ models: ['digits'] })
      const { guesses } = await tandem.classify('digits', ${JSON.stringify(file('photo.png'))})
      if (guesses[0].label !== '7') throw new Error('wrong')
      await tandem.close()`
    writeFileSync(
      file('a.test.mjs'),
      `import test from 'node:test'\nimport { createTandem } from 'tandem-serve'\ntest('it', async () => { ${check} })`,
    )
    writeFileSync(file('thread.mjs'), `import { createTandem } from 'tandem-serve'\n${check}`)
    writeFileSync(
      file('main.mjs'),
      `import { Worker } from 'node:worker_threads'\nnew Worker(new URL('./thread.mjs', import.meta.url))`,
    )
    writeFileSync(
      file('old.cjs'),
      `const { createTandem } = require('tandem-serve'); (async () => { ${check} })()`,
    )
    const options = { cwd: packed.folder, env: PLACES }
    await run(process.execPath, ['--test', 'a.test.mjs'], options)
    await run(process.execPath, ['main.mjs'], options)
    await run(process.execPath, ['old.cjs'], options)
  })

  it('of docs/command.md: nightly.sh keeps the pictures that no class fits', async () => {
    const page = readFileSync(file('node_modules/tandem-serve/docs/command.md'), 'utf8')
    const [, script = ''] = /`nightly\.sh`[^`]*```sh\n(.*?)```/s.exec(page) ?? []
    writeFileSync(file('nightly.sh'), script)
    mkdirSync(file('inbox'))
    copyFileSync(file('photo.png'), file('inbox/seven.png'))
    copyFileSync(join(ROOT, 'public/examples/coffee.jpg'), file('inbox/coffee.jpg'))
    writeFileSync(file('inbox/broken.png'), 'broken')
    await run('bash', ['-e', 'nightly.sh'], { cwd: packed.folder, env: PLACES })
    const rows = readFileSync(file('result.csv'), 'utf8').trimEnd().split('\r\n')
    expect(rows.map((row) => row.split(',')[0])).to.deep.equal([
      'file',
      'inbox/broken.png',
      'inbox/coffee.jpg',
      'inbox/seven.png',
    ])
    expect(rows[3]).to.match(/^inbox\/seven\.png,digits,1,7,7,,(0\.99|1)/)
    const unsure = readFileSync(file('unsure.txt'), 'utf8')
    expect(unsure).to.contain('inbox/broken.png').and.not.contain('seven')
  })

  it('have types for a strict program in TypeScript', async () => {
    symlinkSync(join(ROOT, 'node_modules/@types/node'), file('node_modules/@types-node'))
    writeFileSync(file('program.ts'), PROGRAM)
    const config = {
      compilerOptions: {
        target: 'es2023',
        lib: ['es2023', 'esnext.disposable'],
        module: 'nodenext',
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: true,
        types: ['./node_modules/@types-node'],
      },
      files: ['program.ts'],
    }
    writeFileSync(file('tsconfig.json'), JSON.stringify(config))
    writeFileSync(file('package.json'), '{"type":"module"}')
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { stdout } = await run(process.execPath, [tsc, '-p', '.'], { cwd: packed.folder }).catch(
      (error) => error,
    )
    expect(stdout).to.equal('')
  })

  it('the client has no import', () => {
    const client = readFileSync(file('node_modules/tandem-serve/dist/client/client.js'), 'utf8')
    expect(client).to.not.match(/\bimport\b/)
  })
})

const PROGRAM = `
import { type Classified, createTandem } from 'tandem-serve'
import { TandemClient } from 'tandem-serve/client'
import { openModel, type MakePipeline } from 'tandem-serve/pipeline'

await using tandem = await createTandem({ models: ['vgg16', { name: 'pets', path: './pets.keras' }], maxBatch: 4 })
const answer: Classified = await tandem.classify('pets', new Uint8Array(1), { top: 3 })
export const label: string | undefined = answer.guesses[0]?.label
for await (const one of tandem.classifyAll('pets', ['a.png'])) {
  const input: string = one.input
  const end: string | number = one.ok ? one.timing.total : one.error.code
  console.log(input, end)
}
export const models: { name: string }[] = [...(await new TandemClient({ url: '' }).models())]
export const makePipeline = ((options: { model: string }, context) => openModel(options, context)) satisfies MakePipeline
// @ts-expect-error There is no such setting.
await createTandem({ models: ['vgg16'], maxBach: 4 })
// @ts-expect-error A number is no picture.
await tandem.classify('pets', 5)
`

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

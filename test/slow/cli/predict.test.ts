import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { createTandem, type Tandem } from '../../../lib/library/create-tandem.ts'
import { runCommand } from '../../support/command.ts'
import { PLACES } from '../../support/environment.ts'
import { programArgs } from '../../support/program.ts'
import { fixture } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const PICTURE_BYTES = 60_000
const CATS = `
  const cat = { index: 0, label: 'cat', name: 'cat', full: 'cat', probability: 1 }
  export const makePipeline = () => ({ predict: (batch) => batch.map(() => [cat]) })`
// The heap grows and shrinks by some tens of megabytes.
const MAX_GROWTH_BYTES = 150e6

/** The largest memory of the command itself while its lines were read, and the number of lines. */
async function peakOf(folder: string, pipeline: string): Promise<{ bytes: number; lines: number }> {
  const args = [...programArgs('tandem.ts'), 'predict', '--ndjson', folder]
  const env = { ...PLACES, PIPELINE: pipeline, MODELS: 'cats' }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let lines = 0
  let bytes = 0
  for await (const _ of createInterface(child.stdout)) {
    // The last lines may come after the end of the process.
    if (lines++ % 500 === 0) bytes = Math.max(bytes, memoryOf(child.pid))
  }
  return { bytes, lines }
}

function memoryOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
  } catch {
    return 0
  }
}

describe('tandem predict', () => {
  const folder = temporaryFolder()
  const file = (name: string) => join(folder, name)
  const predict = (args: string[], env: Record<string, string>) => runCommand('predict', args, env)
  before(() => {
    for (const name of ['cat', 'broken']) writeFileSync(file(`${name}.png`), name)
  })

  it('writes whole JSON after Ctrl-C, and ends with 130', async () => {
    const files = Array.from({ length: 3000 }, () => file('cat.png'))
    const env = { ...PLACES, PIPELINE: fixture('guesses.ts'), MODELS: 'cats' }
    const child = spawn(process.execPath, [...programArgs('tandem.ts'), 'predict', '--json', ...files], {
      env,
    })
    let stdout = ''
    child.stdout.on('data', (chunk) => {
      if (stdout === '') child.kill('SIGINT')
      stdout += chunk
    })
    const [code] = await once(child, 'close')
    expect(code).to.equal(130)
    const results = JSON.parse(stdout) as unknown[]
    expect(results.length).to.be.below(3000)
  })

  it('classifies 10,000 pictures in the memory that 1,000 take', async function () {
    if (process.platform !== 'linux') this.skip()
    this.timeout(120_000)
    const folder = temporaryFolder()
    const picture = join(folder, '0.png')
    // All of them together are larger than the memory that is allowed.
    writeFileSync(picture, 'cat'.padEnd(PICTURE_BYTES))
    const pipeline = join(folder, 'cats.mjs')
    writeFileSync(pipeline, CATS)
    const few = join(folder, 'few')
    const many = join(folder, 'many')
    for (const [name, count] of [
      [few, 1000],
      [many, 10_000],
    ] as const) {
      mkdirSync(name)
      for (let at = 0; at < count; at++) linkSync(picture, join(name, `${at}.png`))
    }
    const [fewer, more] = [await peakOf(few, pipeline), await peakOf(many, pipeline)]
    expect([fewer.lines, more.lines]).to.deep.equal([1000, 10_000])
    expect(more.bytes - fewer.bytes).to.be.below(MAX_GROWTH_BYTES)
  })

  describe('with a running server', () => {
    const key = 'a-key-of-sixteen-letters'
    let tandem: Tandem
    let server: Server
    let env: Record<string, string>
    before(async () => {
      tandem = await createTandem({
        models: ['cats'],
        pipeline: fixture('guesses.ts'),
        spareChildren: 0,
        apiKeys: [key],
      })
      server = createServer(tandem.handler()).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      env = { TANDEM_URL: `http://127.0.0.1:${port}`, TANDEM_KEY: key, PIPELINE: '' }
    })
    after(async () => {
      server.close().closeAllConnections()
      await tandem.close()
    })

    it('asks the server, with the key of the environment', async () => {
      const files = ['cat', 'broken', 'none'].map((name) => file(`${name}.png`))
      const { code, stdout, stderr } = await predict(['--ndjson', '--top', '1', ...files], env)
      const results = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(code).to.equal(1)
      expect(results[0].predictions).to.have.length(1)
      expect(results[0]).to.include({ file: files[0], model: 'cats' })
      expect(results.map(({ error }) => error?.code)).to.deep.equal([
        undefined,
        'ERR_IMAGE_DECODE',
        'ERR_FILE',
      ])
      expect(stderr).to.contain(`${files[1]}: The bytes are no image.\n`)
      const above = await predict(['--ndjson', '--threshold', '0.1', file('cat.png')], env)
      expect(JSON.parse(above.stdout).predictions).to.have.length(2)
    })

    it('says what the server does not serve, and that it refuses the key', async () => {
      const other = await predict([file('cat.png'), '--model', 'dogs'], env)
      expect(other.code).to.equal(3)
      expect(other.stderr).to.match(/^http:.* does not serve the model "dogs", but cats\.$/m)
      const refused = await predict([file('cat.png')], { ...env, TANDEM_KEY: '' })
      expect([refused.code, refused.stderr]).to.deep.equal([
        3,
        'This request needs a key, as "Authorization: Bearer <key>" or "X-Api-Key: <key>".\n',
      ])
    })

    it('lists the models of the server', async () => {
      expect((await runCommand('models', [], env)).stdout).to.match(/^ {2}cats +ready/)
    })
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { createTandem, type Tandem } from '../../../lib/library/create-tandem.ts'
import { runCommand } from '../../support/command.ts'
import { PLACES } from '../../support/environment.ts'
import { programArgs } from '../../support/program.ts'
import { fixture } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

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

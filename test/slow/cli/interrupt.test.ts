import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { runCommand } from '../../support/command.ts'
import { PLACES } from '../../support/environment.ts'
import { ROOT } from '../../support/import-graph.ts'
import { programArgs } from '../../support/program.ts'
import { until } from '../../support/service.ts'
import { writeSyntheticH5 } from '../../support/synthetic-h5.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { CTRL_C, describeInTerminal, openTerminal } from '../../support/terminal.ts'
import { bytesOf, serveWeights } from '../../support/weights-server.ts'

const FILE = 'mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5'
// What the official file has; no hash of it was published.
const BYTES = 14_536_120
const SLOW_MS = 20

describeInTerminal('Ctrl-C in a terminal', () => {
  it('ends a download with 130; the next one continues, and leaves the file alone', async () => {
    const folder = temporaryFolder()
    const content = bytesOf(BYTES)
    const server = await serveWeights({ content, etag: '"1"', slowMs: SLOW_MS })
    const env = { WEIGHTS_URL: server.url.replace('/weights.h5', ''), WEIGHTS_DIR: folder }
    const terminal = openTerminal('node --import tsx tandem.ts weights pull mobilenet_v2', env)
    await terminal.shows(/mobilenet_v2 [░█]/)
    await someBytes(folder)
    terminal.press(CTRL_C)
    expect(await terminal.exit).to.equal(130)
    terminal.end()
    // The bar is gone from the last line.
    expect(terminal.raw().endsWith('\r\x1b[K')).to.equal(true)
    expect(existsSync(join(folder, FILE))).to.equal(false)
    expect(readdirSync(folder)).to.include(`${FILE}.part`)

    server.behaviour.slowMs = 0
    const again = await runCommand('weights', ['pull', 'mobilenet_v2'], env)
    expect(again.code, again.stderr).to.equal(0)
    expect(server.requests.at(-1)).to.have.property('range')
    expect(readFileSync(join(folder, FILE)).equals(content)).to.equal(true)
    expect(readdirSync(folder).filter((name) => /part|lock/.test(name))).to.deep.equal([])
    await server.close()
  })

  it('ends predict with 130 while the model is being loaded', async () => {
    const folder = temporaryFolder()
    const server = await serveWeights({ content: bytesOf(BYTES), etag: '"1"', slowMs: SLOW_MS })
    const env = { WEIGHTS_URL: server.url.replace('/weights.h5', ''), WEIGHTS_DIR: folder }
    const terminal = openTerminal(
      'node --import tsx tandem.ts predict public/examples/cat.jpg --model mobilenet_v2',
      env,
    )
    await someBytes(folder)
    terminal.press(CTRL_C)
    expect(await terminal.exit).to.equal(130)
    terminal.end()
    await server.close()
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function someBytes(folder: string): Promise<unknown> {
  const part = join(folder, `${FILE}.part`)
  return until(() => existsSync(part) && statSync(part).size > 0, 'the first bytes of the download')
}

describe('A command that is interrupted while it compiles', () => {
  it('leaves no model that is used, and the next command removes what is left', async () => {
    const folder = temporaryFolder()
    const compiled = join(folder, 'compiled')
    mkdirSync(compiled)
    await writeSyntheticH5('mobilenet', join(folder, 'formula.h5'))
    const args = ['public/examples/cat.jpg', '--model', `mobilenet=${join(folder, 'formula.h5')}`]
    const env = { ...PLACES, WEIGHTS_DIR: folder, DEVICE: 'cpu' }
    const changes = watch(compiled)
    const begun = new Promise<void>((resolve) =>
      changes.on('change', (_, name) => String(name).endsWith('.part') && resolve()),
    )
    const child = spawn(process.execPath, [...programArgs('tandem.ts'), 'predict', ...args], {
      cwd: ROOT,
      env,
      stdio: 'ignore',
    })
    await begun
    changes.close()
    child.kill('SIGINT')
    expect(await once(child, 'exit')).to.deep.equal([130, null])
    const folders = () => readdirSync(compiled).filter((name) => !name.endsWith('.json'))
    expect(folders()).to.have.length(1)
    // KEY.HOST.PID.UUID.part: the folder of a process that is alive would stay.
    const pid = Number(/\.(\d+)\.[\w-]+\.part$/.exec(folders()[0] ?? '')?.[1])
    expect(pid).to.be.above(0)
    await until(() => !isAlive(pid), 'the end of the child')

    const again = await runCommand('predict', args, { WEIGHTS_DIR: folder, DEVICE: 'cpu' })
    expect(again.code, again.stderr).to.equal(0)
    expect(folders()).to.have.length(1)
    expect(folders()[0]).to.not.match(/\.part$/)
  })
})

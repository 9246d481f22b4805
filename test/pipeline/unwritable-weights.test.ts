import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { drawn, encoded, inked } from '../support/digits.ts'
import { fill, mountFull } from '../support/full-disk.ts'
import { type Service, startService, until } from '../support/service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const WARN = 40

describe('a folder of weights that cannot be written', () => {
  let folder = ''
  let temporary = ''
  let mounted: string | undefined
  let service: Service | undefined

  beforeEach(() => {
    folder = temporaryFolder()
    temporary = join(folder, 'tmp')
    mkdirSync(temporary)
  })
  afterEach(async () => {
    await service?.stop()
    service = undefined
    if (mounted !== undefined) execFileSync('umount', [mounted])
    mounted = undefined
    rmSync(folder, { recursive: true })
  })

  async function servesDigits(weightsDir: string, reason: string): Promise<void> {
    const env = { MODELS: 'digits', WEIGHTS_DIR: weightsDir, DEVICE: 'cpu', TMPDIR: temporary }
    const running = await startService(env)
    service = running
    await until(async () => (await fetch(`${running.url}/readyz`)).ok, 'readiness', 40_000)
    const seven = await encoded(inked(drawn({ digit: 7, width: 28 }), 0, 255))
    const answer = await fetch(`${running.url}/digits`, { method: 'POST', body: new Uint8Array(seven) })
    expect(answer.status).to.equal(200)
    expect(JSON.stringify(await answer.json())).to.contain('"label":"7"')
    const warnings = running.logs.filter(({ msg }) => msg.includes('cannot be stored'))
    expect(warnings.map(({ msg, level }) => ({ msg, level }))).to.deep.equal([
      {
        msg:
          `The compiled model cannot be stored in ${join(weightsDir, 'compiled')}: ${reason}. ` +
          `The model is compiled again at each start, in ${temporary}.`,
        level: WARN,
      },
    ])
    expect(running.logs.filter(({ msg }) => msg === 'child started')).to.have.length(1)
    expect(readdirSync(temporary).filter((name) => name.endsWith('.part'))).to.deep.equal([])
  }

  it('does not keep a model from being served: one that cannot be made', () =>
    servesDigits('/proc/nothing', 'the folder cannot be created')).timeout(60_000)

  it('does not keep a model from being served: one below a file', () => {
    writeFileSync(join(folder, 'file'), '')
    return servesDigits(join(folder, 'file', 'weights'), 'the path leads through a file')
  }).timeout(60_000)

  it('does not keep a model from being served: one on a full disk', async function () {
    this.timeout(60_000)
    mounted = mountFull(folder)
    if (mounted === undefined) return this.skip()
    fill(mounted)
    await servesDigits(mounted, 'the disk is full')
  })

  it('does not keep a model from being served: one on a read-only disk', async function () {
    this.timeout(60_000)
    mounted = mountFull(folder)
    if (mounted === undefined) return this.skip()
    execFileSync('mount', ['-o', 'remount,ro', mounted])
    await servesDigits(mounted, 'the file system is read-only')
  })

  it('does not keep a model from being served: one that belongs to another user', async function () {
    this.timeout(60_000)
    // The administrator may write anywhere.
    if (process.getuid?.() === 0) return this.skip()
    chmodSync(folder, 0o500)
    try {
      await servesDigits(join(folder, 'weights'), 'the folder is not writable')
    } finally {
      chmodSync(folder, 0o700)
    }
  })
})

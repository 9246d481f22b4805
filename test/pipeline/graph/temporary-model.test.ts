import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { PipelineError } from '../../../pipeline/errors.ts'
import { temporaryModel } from '../../../pipeline/graph/temporary-model.ts'
import { codeOf, errorOf } from '../../support/broker.ts'
import { mountFull } from '../../support/full-disk.ts'
import { programArgs } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const FIXTURE = programArgs('test/fixtures/compile-temporarily.ts')

describe('a model that is compiled for one start', () => {
  let folder = ''
  let good = ''
  beforeEach(() => {
    folder = temporaryFolder()
    good = join(folder, 'good')
    mkdirSync(good)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const compile = async (_: string, write: (bytes: Uint8Array) => Promise<void>) => {
    await write(Buffer.alloc(200_000, 'weights'))
    return Buffer.from('model')
  }

  it('lies in a folder that no other user can look into, until it is released', async () => {
    const model = await temporaryModel('key', compile, [good])
    expect(model.parent).to.equal(good)
    expect(readFileSync(model.modelPath, 'utf8')).to.equal('model')
    expect(statSync(model.dataPath).size).to.equal(200_000)
    expect(statSync(dirname(model.modelPath)).mode & 0o077).to.equal(0)
    await model.release()
    expect(readdirSync(good)).to.deep.equal([])
  })

  it('is put into the next folder when one cannot be written', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    const model = await temporaryModel('key', compile, [file, '/proc/nothing', good])
    expect(model.parent).to.equal(good)
    await model.release()
  })

  it('is put into the next folder when the disk is full, and leaves nothing there', async function () {
    const full = mountFull(folder)
    if (full === undefined) return this.skip()
    try {
      const model = await temporaryModel('key', compile, [full, good])
      expect(model.parent).to.equal(good)
      expect(readdirSync(full)).to.deep.equal([])
      const error = await errorOf(temporaryModel('key', compile, [full, '/proc/nothing']))
      expect(error.code).to.equal('ERR_MODEL_LOAD')
      expect(error.message)
        .to.contain(`${full}: the disk is full.`)
        .and.to.contain('/proc/nothing: the folder cannot be created.')
      await model.release()
    } finally {
      execFileSync('umount', [full])
    }
  })

  it('is not tried in another folder when the model itself is wrong', async () => {
    let tries = 0
    const failing = temporaryModel('key', async () => {
      tries++
      throw new PipelineError('ERR_MODEL_UNSUPPORTED', 'no')
    }, [good, folder])
    expect(await codeOf(failing)).to.equal('ERR_MODEL_UNSUPPORTED')
    expect(tries).to.equal(1)
    expect(readdirSync(good)).to.deep.equal([])
  })

  function elsewhere() {
    const child = spawn(process.execPath, [...FIXTURE, good], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    return { child, exit: once(child, 'exit'), line: once(createInterface(child.stdout), 'line') }
  }

  it('is removed when its process ends', async () => {
    const { child, exit, line } = elsewhere()
    const [path] = await line
    expect(existsSync(String(path))).to.equal(true)
    child.stdin.end()
    await exit
    expect(readdirSync(good)).to.deep.equal([])
  })

  it('is removed by the next process if its own was killed', async () => {
    const { child, exit, line } = elsewhere()
    await line
    child.kill('SIGKILL')
    await exit
    writeFileSync(join(good, 'of-another-program'), '')
    expect(readdirSync(good)).to.have.length(2)
    const model = await temporaryModel('key', compile, [good])
    await model.release()
    expect(readdirSync(good)).to.deep.equal(['of-another-program'])
  })
})

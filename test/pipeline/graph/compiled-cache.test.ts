import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { PipelineError } from '../../../pipeline/errors.ts'
import { compiledModel } from '../../../pipeline/graph/compiled-cache.ts'
import { codeOf } from '../../support/broker.ts'
import { programArgs } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const FIXTURE = programArgs('test/fixtures/compile-into.ts')
const DAY_MS = 24 * 60 * 60 * 1000

describe('cache of compiled models', () => {
  let cacheDir = ''
  const children = new Set<ChildProcess>()

  beforeEach(() => {
    cacheDir = temporaryFolder()
  })

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
    children.clear()
    rmSync(cacheDir, { recursive: true, force: true })
  })

  /** A compilation in a process of its own, that ends after so many pieces or is killed before. */
  function compileElsewhere(key: string, pieces: number, pauseMs: number) {
    const args = [...FIXTURE, cacheDir, key, String(pieces), String(pauseMs)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    children.add(child)
    const exit = once(child, 'exit')
    const lines: string[] = []
    const output = createInterface(child.stdout).on('line', (line) => lines.push(line))
    return { child, lines, output, exit }
  }

  let compiled = 0
  function compileHere(key: string, content = 'here') {
    return compiledModel({
      cacheDir,
      key,
      async compile(_, write) {
        compiled++
        await write(Buffer.from(content))
        return Buffer.from('model')
      },
    })
  }

  it('compiles once, and finds the compiled model afterwards', async () => {
    compiled = 0
    const first = await compileHere('one')
    const second = await compileHere('one')
    expect(second).to.deep.equal(first)
    expect(compiled).to.equal(1)
    expect(readFileSync(first.modelPath, 'utf8')).to.equal('model')
    expect(readFileSync(first.dataPath, 'utf8')).to.equal('here')
    expect((await compileHere('two')).modelPath).not.to.equal(first.modelPath)
  })

  it('never lets a key become part of a path', async () => {
    const { modelPath } = await compileHere('../../escape\0')
    expect(dirname(dirname(modelPath))).to.equal(cacheDir)
  })

  it('never uses the unfinished files of a killed process, and removes them', async () => {
    const { child, output, exit } = compileElsewhere('killed', 1000, 20)
    await once(output, 'line')
    child.kill('SIGKILL')
    await exit
    expect(readdirSync(cacheDir)).to.have.length(1)
    compiled = 0
    await compileHere('killed')
    expect(compiled).to.equal(1)
    expect(readdirSync(cacheDir).join()).to.match(/^[0-9a-f]{32}-v\d+$/)
  })

  it('never shows half a model, even if killed at any moment', async function () {
    this.timeout(60_000)
    for (const afterMs of [0, 3, 6, 10, 15, 25]) {
      const key = `killed after ${afterMs}`
      const { child, output, exit } = compileElsewhere(key, 5, 2)
      await once(output, 'line')
      setTimeout(() => child.kill('SIGKILL'), afterMs)
      await exit
      const { modelPath, dataPath } = await compileHere(key)
      const isTheirs = readFileSync(modelPath, 'utf8') === 'looks for model.data'
      expect(readFileSync(dataPath).length).to.equal(isTheirs ? 5000 : 4)
    }
  })

  it('does not touch the files of a running process', async () => {
    const { output, lines, exit } = compileElsewhere('slow', 30, 10)
    await once(output, 'line')
    await compileHere('another')
    await exit
    expect(lines.at(-1)).to.match(/^done /)
    expect(readFileSync(join(dirname(String(lines.at(-1)).slice(5)), 'model.data')).length).to.equal(30_000)
  })

  it('lets two processes compile the same model at once', async () => {
    const both = [compileElsewhere('same', 20, 10), compileElsewhere('same', 20, 10)]
    await Promise.all(both.map(({ exit }) => exit))
    const [first, second] = both.map(({ lines }) => lines.at(-1) ?? '')
    expect(first).to.match(/^done /)
    expect(second).to.equal(first)
    expect(readFileSync(String(first).slice(5), 'utf8')).to.equal('looks for model.data')
    expect(readdirSync(cacheDir)).to.have.length(1)
  })

  it('compiles a model again if its file was cut short', async () => {
    const { dataPath } = await compileHere('cut', 'a text of some length')
    truncateSync(dataPath, 5)
    expect((await compileHere('cut', 'a text of some length')).dataPath).to.equal(dataPath)
    expect(readFileSync(dataPath, 'utf8')).to.equal('a text of some length')
  })

  it('keeps no files of a compilation that fails, and rejects with its error', async () => {
    const failing = compiledModel({
      cacheDir,
      key: 'failing',
      async compile(_, write) {
        await write(new Uint8Array(10))
        throw new PipelineError('ERR_MODEL_UNSUPPORTED', 'no')
      },
    })
    expect(await codeOf(failing)).to.equal('ERR_MODEL_UNSUPPORTED')
    expect(readdirSync(cacheDir)).to.deep.equal([])
  })

  it('removes models that have not been used for a month, and no other files', async () => {
    const old = dirname((await compileHere('old')).modelPath)
    const used = dirname((await compileHere('used')).modelPath)
    const foreign = join(cacheDir, 'my-notes')
    mkdirSync(foreign)
    const then = new Date(Date.now() - 31 * DAY_MS)
    for (const folder of [old, used, foreign]) utimesSync(folder, then, then)
    await compileHere('used')
    await compileHere('new')
    expect([old, used, foreign].map((folder) => existsSync(folder))).to.deep.equal([false, true, true])
  })
})

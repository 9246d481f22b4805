import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { Hdf5Reader } from '../../../pipeline/weights/hdf5/hdf5-reader.ts'
import { type FileWindow, openWindow } from '../../../pipeline/weights/source/file-window.ts'
import { errorOf } from '../../support/broker.ts'
import { goldenBytes } from '../../support/golden.ts'
import { programArgs } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { writeH5 } from '../../support/write-keras-h5.ts'

const READ_AGAIN = programArgs('test/fixtures/weights/read-again.ts')
const folder = temporaryFolder()
const windows: FileWindow[] = []
const readers: Hdf5Reader[] = []

async function openReader(path: string, limitMs?: number): Promise<Hdf5Reader> {
  const window = openWindow(path, 'model.h5')
  windows.push(window)
  const reader = await Hdf5Reader.open(window, limitMs)
  readers.push(reader)
  return reader
}

afterEach(() => {
  for (const reader of readers.splice(0)) reader.close()
  for (const { fd } of windows.splice(0)) closeSync(fd)
})

describe('Hdf5Reader', () => {
  const path = join(folder, 'arrays.h5')
  // More than one block of 4 MB, in rows that are no divisor of it.
  const [rows, columns] = [1300, 1001]
  const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i))

  before(() =>
    writeH5(path, (file) => {
      file.create_attribute('names', ['one', 'zwölf'])
      file.create_attribute('number', 7)
      file.create_dataset({ name: 'plain', data: values, shape: [rows, columns], dtype: '<f' })
      file.create_dataset({
        name: 'packed',
        data: values,
        shape: [rows, columns],
        dtype: '<f',
        chunks: [300, 1001],
        compression: 'gzip',
      })
      file.create_dataset({ name: 'double', data: Float64Array.of(0.1, 0.2), dtype: '<d' })
      file.create_dataset({ name: 'whole', data: Int32Array.of(1, 2), dtype: '<i' })
      file.create_group('group')
      file.create_soft_link('/plain', 'soft')
    }),
  )

  for (const name of ['plain', 'packed']) {
    it(`reads an array that is ${name} block by block`, async () => {
      const reader = await openReader(path)
      const dataset = await reader.dataset(`/${name}`)
      const found = new Float32Array(values.length)
      let count = 0
      if (dataset) {
        await reader.read(dataset, (block, at) => {
          found.set(block, at)
          count++
        })
      }
      expect(count).to.be.above(1)
      expect(Buffer.from(found.buffer).equals(Buffer.from(values.buffer))).to.equal(true)
    })
  }

  it('rounds doubles to float32', async () => {
    const reader = await openReader(path)
    const dataset = await reader.dataset('/double')
    const found: number[] = []
    if (dataset) await reader.read(dataset, (block) => void found.push(...block))
    expect(found).to.deep.equal([Math.fround(0.1), Math.fround(0.2)])
  })

  it('reads text attributes, and refuses others', async () => {
    const reader = await openReader(path)
    expect(await reader.texts('/', 'names')).to.deep.equal(['one', 'zwölf'])
    expect(await reader.texts('/', 'nothing')).to.equal(undefined)
    expect((await errorOf(reader.texts('/', 'number'))).code).to.equal('ERR_MODEL_LOAD')
  })

  it('distinguishes groups, arrays and missing paths', async () => {
    const reader = await openReader(path)
    expect(await reader.isGroup('/group')).to.equal(true)
    expect(await reader.isGroup('/plain')).to.equal(false)
    expect(await reader.dataset('/group/nothing')).to.equal(undefined)
    expect(await reader.dataset('/plain/nothing')).to.equal(undefined)
  })

  it('refuses soft links and arrays of whole numbers, and goes on', async () => {
    const reader = await openReader(path)
    expect((await errorOf(reader.dataset('/soft'))).message).to.include('a soft link to "/plain"')
    expect((await errorOf(reader.dataset('/whole'))).code).to.equal('ERR_MODEL_LOAD')
    expect((await reader.dataset('/plain'))?.shape).to.deep.equal([rows, columns])
  })

  it('answers no call after it is closed', async () => {
    const reader = await openReader(path)
    const pending = errorOf(reader.members('/'))
    reader.close()
    reader.close()
    expect((await pending).message).to.include('has been closed')
    expect((await errorOf(reader.members('/'))).message).to.include('has been closed')
  })

  it('gives a sound file unlimited time on a busy machine', async () => {
    const limitMs = 2500
    const args = [...READ_AGAIN, path, '/packed', String(limitMs)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (text) => (output += text))
    const exit = once(child, 'exit')
    await once(child.stdout, 'data')
    child.kill('SIGSTOP')
    await delay(limitMs + 1000)
    child.kill('SIGCONT')
    await exit
    expect(output).to.equal('reading\ndone\n')
  })

  it('says that a file is cut off', async () => {
    const cut = join(folder, 'cut.h5')
    writeFileSync(cut, readFileSync(path).subarray(0, Math.floor(statSync(path).size / 2)))
    expect((await errorOf(openReader(cut))).message).to.match(/cut off or damaged: it declares \d+ bytes/)
  })
})

describe('a file for which the HDF5 library never ends', () => {
  it('is given up after too much CPU time', async () => {
    const bytes = goldenBytes('formats', 'minivgg', 'keras3.h5')
    // The length of one of the texts in the heap that holds them: what is then taken for the next has no end.
    bytes[LENGTH_OF_A_TEXT] = 0xff
    const path = join(folder, 'endless.h5')
    writeFileSync(path, bytes)
    const reader = await openReader(path, 1000)
    const error = await errorOf(reader.texts('/', 'model_config'))
    expect(error.code).to.equal('ERR_MODEL_LOAD')
    expect(error.message).to.match(/took more than 1000 ms of computing/)
  })
})

const LENGTH_OF_A_TEXT = 8880

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect } from 'chai'
import { cpuSignature } from '../../../pipeline/engines/onnx/cpu-signature.ts'
import type { OnnxOptions } from '../../../pipeline/engines/onnx/onnx.ts'
import { openSaved, savedFolder, savedName } from '../../../pipeline/engines/onnx/saved-graph.ts'
import { compileGraph } from '../../../pipeline/graph/compile.ts'
import { compiledModel } from '../../../pipeline/graph/compiled-cache.ts'
import { bytesOf } from '../../support/compiled.ts'
import { anyWeights, smallNetwork } from '../../support/small-network.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

// Convolutions whose weights get the layout of the CPU, and a dense layer whose weights stay as they are.
const NETWORK = smallNetwork(
  [12, 12, 16],
  [
    ['Conv2D', { filters: 32, kernel_size: 3, padding: 'same', activation: 'relu' }],
    ['Conv2D', { filters: 32, kernel_size: 3, padding: 'valid', activation: 'relu' }],
    ['GlobalAveragePooling2D'],
    ['Dense', { units: 20, activation: 'softmax' }],
  ],
)
const PIXELS = Float32Array.from({ length: 2 * 12 * 12 * 16 }, (_, i) => ((i * 37) % 101) / 101)

describe('The graph that ONNX Runtime has optimised', () => {
  let cacheDir = ''
  let modelPath = ''
  const options = (): OnnxOptions => ({ modelPath, threads: 1, device: 'cpu', spin: false })

  before(async () => {
    cacheDir = temporaryFolder()
    const compile = (dataFile: string, write: (bytes: Uint8Array) => Promise<void>) =>
      compileGraph(NETWORK, anyWeights(NETWORK), { preprocessing: 'none', input: 'float32', dataFile }, write)
    modelPath = (await compiledModel({ cacheDir, key: 'any', compile })).modelPath
  })
  afterEach(() => {
    for (const name of readdirSync(dirname(modelPath))) {
      if (name.startsWith('onnxruntime-')) rmSync(join(dirname(modelPath), name), { recursive: true })
    }
  })

  /** Opens the model, and returns its answer and the warning. */
  async function answer(folder?: string) {
    const { engine, warning } = await openSaved(options(), folder)
    const numbers = [...(await engine.run(bytesOf(PIXELS), 2))]
    await engine.close()
    return { numbers, warning }
  }

  it('gives the same numbers as the compiled model, at the first start and later', async () => {
    const folder = savedFolder(modelPath)
    // A file in place of the folder: nothing can be saved.
    writeFileSync(folder, '')
    const direct = await answer(join(folder, 'inside a file'))
    expect(direct.warning).to.match(
      /^ONNX Runtime's optimised graph cannot be stored in .*: the path leads through a file\. Each start/,
    )
    rmSync(folder)
    expect(await answer()).to.deep.equal({ numbers: direct.numbers, warning: undefined })
    const written = readFileSync(join(folder, 'model.onnx'))
    expect(written.includes('nchwc')).to.equal(true)
    expect(await answer()).to.deep.equal({ numbers: direct.numbers, warning: undefined })
    expect(readFileSync(join(folder, 'model.onnx')).equals(written)).to.equal(true)
  })

  it('has its weights in a file of their own, from which they are mapped', async () => {
    await answer()
    const folder = savedFolder(modelPath)
    const weights = 4 * (9 * 16 * 32 + 9 * 32 * 32)
    expect(readFileSync(join(folder, 'model.data')).length).to.be.at.least(weights)
    expect(readFileSync(join(folder, 'model.onnx')).length).to.be.below(weights / 4)
  })

  it('is made again for another CPU and another version, and the graph of the first stays', async () => {
    await answer()
    const other = savedFolder(modelPath, 'x64-another')
    await answer(other)
    expect(existsSync(join(other, 'model.onnx'))).to.equal(true)
    expect(existsSync(join(savedFolder(modelPath), 'model.onnx'))).to.equal(true)
    expect(basename(savedFolder(modelPath))).to.match(/^onnxruntime-\d+\.\d+\.\d+-/)
  })

  it('is made again if a file was cut short', async () => {
    const { numbers } = await answer()
    const data = join(savedFolder(modelPath), 'model.data')
    const whole = readFileSync(data)
    truncateSync(data, 100)
    expect((await answer()).numbers).to.deep.equal(numbers)
    expect(readFileSync(data).equals(whole)).to.equal(true)
  })

  it('is removed if ONNX Runtime cannot read it, and the next start makes it again', async () => {
    const { numbers } = await answer()
    const graph = join(savedFolder(modelPath), 'model.onnx')
    const whole = readFileSync(graph)
    writeFileSync(graph, Buffer.alloc(whole.length, 255))
    expect(await answer()).to.deep.equal({ numbers, warning: undefined })
    expect(existsSync(graph)).to.equal(false)
    await answer()
    expect(readFileSync(graph).equals(whole)).to.equal(true)
  })

  it('is removed if another CPU or version has not used it for a month', async () => {
    const folder = (name: string) => join(dirname(modelPath), name)
    const [old, used, foreign] = [
      folder('onnxruntime-1.0.0-old'),
      folder('onnxruntime-1.0.0-used'),
      folder('own'),
    ]
    for (const path of [old, used, foreign]) mkdirSync(path)
    const then = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000)
    for (const path of [old, foreign]) utimesSync(path, then, then)
    await answer()
    expect([old, used, foreign].map((path) => existsSync(path))).to.deep.equal([false, true, true])
  })

  it('leaves no unfinished folder behind', async () => {
    await answer()
    expect(readdirSync(cacheDir)).to.deep.equal([basename(dirname(modelPath))])
  })

  it('is not needed: a folder that cannot be written gets a warning, and the model is opened', async function () {
    // The administrator may write anywhere.
    if (process.getuid?.() === 0) return this.skip()
    chmodSync(dirname(modelPath), 0o500)
    try {
      expect((await answer()).warning).to.contain(savedName())
    } finally {
      chmodSync(dirname(modelPath), 0o700)
    }
  })
})

describe('The kind of a CPU', () => {
  const kind = (arch: string, flags: string | undefined, model = 'A') =>
    cpuSignature({ arch, flags: flags?.split(' '), model })

  it('is the width of its vectors, and whether it multiplies bytes', () => {
    const avx512 = 'avx avx2 fma avx512f avx512bw avx512dq avx512vl'
    expect(kind('x64', avx512)).to.equal('x64-avx512')
    expect(kind('x64', `${avx512} avx512_vnni`)).to.equal('x64-avx512-vnni')
    expect(kind('x64', 'avx avx2 fma')).to.equal('x64-avx2')
    expect(kind('x64', 'avx avx2 fma avx_vnni')).to.equal('x64-avx2-vnni')
    expect(kind('x64', 'avx')).to.equal('x64-avx')
    expect(kind('x64', 'sse2')).to.equal('x64-sse')
    expect(kind('arm64', 'fp asimd asimddp')).to.equal('arm64-asimd-asimddp')
  })

  it('is its model where the system lists no flags', () => {
    expect(kind('arm64', undefined, 'Apple M1')).to.equal(kind('arm64', undefined, 'Apple M1'))
    expect(kind('arm64', undefined, 'Apple M1')).not.to.equal(kind('arm64', undefined, 'Apple M4'))
    expect(kind('arm64', undefined, '../Apple M1')).to.match(/^arm64-[0-9a-f]{8}$/)
  })

  it('is known for this machine', () => {
    expect(cpuSignature()).to.match(/^[\w-]+$/)
  })
})

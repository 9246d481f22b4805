import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openModel } from '../../../pipeline/weights/open-model.ts'
import { codeOf, errorOf } from '../../support/broker.ts'
import { madeClassifier, madePipeline, png, probabilities } from '../../support/classifier.ts'
import { golden, goldenJson } from '../../support/golden.ts'
import { noiseImage, smoothImage } from '../../support/synthetic.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { unzipped } from '../../support/unzipped.ts'
import { writePackedZip } from '../../support/write-zip.ts'

interface Expected {
  labels: string[]
  output: number[][]
}

const ZIPS = ['tm-my-image-model.zip', 'converted_keras.zip'] as const

describe('a model of Teachable Machine', () => {
  const expected = goldenJson<Expected>('answers', 'teachable-machine.json')

  /** Both pictures of the golden data: one wide, one high. */
  async function answersOf(path: string) {
    const pipeline = await madeClassifier({ path })
    try {
      const wide = await png(smoothImage(224, 300), 300, 224)
      const high = await png(noiseImage(261, 224), 224, 261)
      const answers = [await probabilities(pipeline, wide), await probabilities(pipeline, high)]
      return { info: pipeline.info, answers }
    } finally {
      await pipeline.close()
    }
  }

  function mustBeRight({ info, answers }: Awaited<ReturnType<typeof answersOf>>): void {
    expect(info.labelNames).to.deep.equal(expected.labels)
    expect(info.input).to.deep.equal({
      width: 224,
      height: 224,
      channels: 3,
      preprocessing: 'teachable-machine',
    })
    for (const [row, values] of expected.output.entries()) {
      // A tenth of the difference that another divisor or another column makes.
      for (const [i, value] of values.entries()) expect(answers[row]?.[i]).to.be.closeTo(value, 2e-5)
    }
  }

  for (const zip of ZIPS) {
    it(`is served as it was downloaded: ${zip}`, async () => {
      mustBeRight(await answersOf(golden('answers', zip)))
    })

    it(`is served from an unpacked folder: ${zip}`, async () => {
      const folder = await unzipped(golden('answers', zip))
      mustBeRight(await answersOf(folder))
      if (zip !== ZIPS[0]) mustBeRight(await answersOf(join(folder, 'keras_model.h5')))
    })
  }

  it('lies in the folder of weights under its name, and has the settings of the user', async () => {
    const weightsDir = temporaryFolder()
    copyFileSync(golden('answers', ZIPS[0]), join(weightsDir, 'pets.zip'))
    writeFileSync(join(weightsDir, 'pets.json'), JSON.stringify({ labels: 'pets.txt', crop: false }))
    writeFileSync(join(weightsDir, 'pets.txt'), 'a\nb\nc')
    const { info, close } = await madeClassifier({ model: 'pets', weightsDir })
    await close()
    expect(info.labelNames).to.deep.equal(['a', 'b', 'c'])
    expect(info.input.preprocessing).to.equal('teachable-machine')
  })

  it('has numbers as labels where its own labels are too few, and a warning says so', async () => {
    const folder = join(temporaryFolder(), 'few')
    mkdirSync(folder)
    const unpacked = await unzipped(golden('answers', ZIPS[0]))
    for (const name of ['model.json', 'weights.bin']) copyFileSync(join(unpacked, name), join(folder, name))
    const metadata = { packageName: '@teachablemachine/image', labels: ['one'], imageSize: 224 }
    writeFileSync(join(folder, 'metadata.json'), JSON.stringify(metadata))
    const { info, close } = await madeClassifier({ path: folder })
    await close()
    expect(info.labelNames).to.deep.equal(['class_0', 'class_1', 'class_2'])
    expect(info.warnings.join()).to.contain('3 outputs').and.to.contain('1 labels')
  })

  it('is unpacked once where a shard is named again and again, and leaves no file open', async function () {
    if (process.platform !== 'linux') this.skip()
    const layers = [{ class_name: 'Flatten', config: { name: 'flat', batch_input_shape: [null, 8, 8, 1] } }]
    const json = {
      modelTopology: { class_name: 'Sequential', config: { layers } },
      weightsManifest: [
        {
          paths: Array<string>(300).fill('weights.bin'),
          weights: [{ name: 'a', shape: [300, 250_000], dtype: 'float32' }],
        },
      ],
    }
    const path = join(temporaryFolder(), 'again.zip')
    writePackedZip(path, {
      'model.json': Buffer.from(JSON.stringify(json)),
      'weights.bin': Buffer.alloc(1_000_000),
    })
    const graph = join(temporaryFolder(), 'graph.zip')
    const { weightsManifest } = json
    const broken = { format: 'graph-model', modelTopology: { node: 7 }, weightsManifest }
    writePackedZip(graph, {
      'model.json': Buffer.from(JSON.stringify(broken)),
      'weights.bin': Buffer.alloc(1_000_000),
    })
    const openFiles = () => readdirSync('/proc/self/fd').length
    const before = openFiles()
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, openFiles())
    })
    expect(await codeOf(openModel(path))).to.equal('ERR_MODEL_LOAD')
    expect(await codeOf(openModel(graph))).to.equal('ERR_MODEL_LOAD')
    clearInterval(watch)
    expect(most).to.be.within(before, before + 10)
    expect(openFiles()).to.equal(before)
  })

  it('is refused with the name of what is missing or damaged', async () => {
    const folder = temporaryFolder()
    const unpacked = await unzipped(golden('answers', ZIPS[0]))
    const { readFileSync } = await import('node:fs')
    const json = readFileSync(join(unpacked, 'model.json'))
    const shortened = readFileSync(join(unpacked, 'weights.bin')).subarray(8)
    const zips = {
      'weights.bin': { 'model.json': json },
      manifest: { 'model.json': json, 'weights.bin': shortened },
      'config.json': { 'other.txt': Buffer.from('hello') },
    }
    for (const [what, entries] of Object.entries(zips)) {
      const path = join(folder, `${what}.zip`)
      writePackedZip(path, entries)
      const { code, message } = await errorOf(madePipeline({ path }))
      expect(code).to.equal('ERR_MODEL_LOAD')
      expect(message).to.contain(what)
    }
  })
})

import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { Broker } from '../../../broker/broker.ts'
import type { PipelineOptions } from '../../../pipeline/make-pipeline.ts'
import { madeClassifier } from '../../support/classifier.ts'
import { claimedAccuracy, drawn, encoded, inked } from '../../support/digits.ts'
import { HANDS, lined } from '../../support/hands.ts'
import { seeded } from '../../support/image-files.ts'
import { programFile } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const FOLDER = fileURLToPath(new URL('../../../weights/digits', import.meta.url))
const PIPELINE = pathToFileURL(programFile('pipeline/make-pipeline.ts'))
const NOBODY_LISTENS = 'http://127.0.0.1:9'

// Of the picture's side, and the side.
const THICKNESSES = [
  [0.004, 280],
  [0.006, 280],
  [0.012, 100],
  [0.03, 160],
  [0.08, 160],
  [0.12, 100],
] as const

interface Guess {
  label: string
  probability: number
}

describe('The digit model of the package', () => {
  let weights: string
  beforeEach(() => {
    weights = temporaryFolder()
  })

  async function served(model: Partial<PipelineOptions>, images: Uint8Array[]) {
    await using broker = new Broker({ pipeline: PIPELINE, options: { ...options(weights), ...model } })
    await broker.start()
    const info = broker.stats().info as { labelNames: string[] }
    const answers = await Promise.all(
      images.map((image) => broker.call('predict', image) as Promise<Guess[]>),
    )
    return { info, answers }
  }

  it('takes no more than 500 KB', () => {
    const files = readdirSync(FOLDER).sort()
    expect(files).to.deep.equal([
      'README.md',
      'group1-shard1of1.bin',
      'labels.txt',
      'model.json',
      'settings.json',
      'validation.svg',
    ])
    expect(files.reduce((sum, file) => sum + statSync(join(FOLDER, file)).size, 0)).to.be.at.most(500_000)
  })

  it('has a card that claims at least 99 % and names the training data', () => {
    const card = readFileSync(join(FOLDER, 'README.md'), 'utf8')
    expect(claimedAccuracy(card)).to.be.at.least(99)
    expect(card).to.contain('CC BY-SA 3.0').and.to.contain('npm install && npm start')
  })

  it('is served by its name from an empty folder without a network, and answers with all ten labels', async () => {
    const images = [
      await encoded(inked(drawn({ digit: 7, width: 150 }), 255, 0), 150, 150),
      await encoded(inked(drawn({ digit: 1, width: 90, height: 120, side: 90, top: 15 }), 40, 250), 90, 120),
      await encoded(
        inked(drawn({ digit: 7, width: 400, left: 200, top: 100, side: 150 }), 200, 120),
        400,
        400,
      ),
    ]
    const { info, answers } = await served({}, images)
    expect(info.labelNames).to.deep.equal(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect(answers.map(([best]) => best?.label)).to.deep.equal(['7', '1', '7'])
    for (const answer of answers) {
      expect(answer).to.have.length(10)
      expect(answer[0]?.probability).to.be.greaterThan(0.8)
    }
  })

  it('finds all digits equally likely on a picture without a digit, in one batch with others', async () => {
    const seven = await encoded(inked(drawn({ digit: 7, width: 150 }), 255, 0), 150, 150)
    const white = await encoded(new Uint8Array(100 * 100).fill(255), 100, 100)
    const black = await encoded(new Uint8Array(28 * 28))
    const one = await encoded(inked(drawn({ digit: 1, width: 150 }), 255, 0), 150, 150)
    const { answers } = await served({}, [white, seven, black, one, await noise()])
    const even = Array.from({ length: 10 }, (_, digit) => ({ label: String(digit), probability: 0.1 }))
    for (const at of [0, 2, 4]) {
      const guesses = answers[at]?.map(({ label, probability }) => ({
        label,
        probability: rounded(probability),
      }))
      expect(guesses).to.deep.equal(even)
    }
    expect([answers[1]?.[0]?.label, answers[3]?.[0]?.label]).to.deep.equal(['7', '1'])
  })

  it('uses the settings of the user', async () => {
    const image = await encoded(inked(drawn({ digit: 7, width: 150 }), 255, 0), 150, 150)
    writeFileSync(join(weights, 'digits.json'), '{"top": 3}')
    expect((await served({}, [image])).answers[0]).to.have.length(3)
  })

  it('is served with its labels and its preparation from a copy of its folder too, under any name', async () => {
    const image = await encoded(inked(drawn({ digit: 7, width: 400, side: 150 }), 255, 0), 400, 400)
    cpSync(FOLDER, join(weights, 'digits'), { recursive: true })
    for (const model of [{}, { model: 'numbers', path: join(weights, 'digits') }]) {
      const { info, answers } = await served(model, [image])
      expect(info.labelNames[0]).to.equal('0')
      expect(answers[0]).to.have.length(10)
      expect(answers[0]?.[0]?.label).to.equal('7')
    }
  })

  it('is replaced by a model of the user with the same name, which has settings of its own', async () => {
    const image = await encoded(inked(drawn({ digit: 7, width: 150 }), 255, 0), 150, 150)
    cpSync(FOLDER, join(weights, 'digits'), { recursive: true })
    rmSync(join(weights, 'digits', 'settings.json'))
    writeFileSync(join(weights, 'digits.json'), '{"top": 2, "preprocessing": "unit", "subject": "digit"}')
    const { info, answers } = await served({}, [image])
    expect(info.labelNames[0]).to.equal('class_0')
    expect(answers[0]?.map(({ label }) => label)[0]).to.equal('class_7')
  })

  it('gives the same answers on both engines', async () => {
    const image = await encoded(inked(drawn({ digit: 1, width: 150 }), 255, 0), 150, 150)
    const [onnx, tfjs] = await Promise.all([
      served({ engine: 'onnx' }, [image]),
      served({ engine: 'tfjs' }, [image]),
    ])
    const sorted = ({ answers }: typeof onnx) =>
      answers[0]?.sort((a, b) => a.label.localeCompare(b.label)).map(({ probability }) => probability) ?? []
    for (const [i, probability] of sorted(onnx).entries()) {
      expect(sorted(tfjs)[i]).to.be.closeTo(probability, 1e-4)
    }
  })
})

describe('The digit model on digits drawn in three handwritings', () => {
  let weights: string
  let pipeline: Awaited<ReturnType<typeof madeClassifier>>
  before(async () => {
    weights = temporaryFolder()
    pipeline = await madeClassifier(options(weights))
  })
  after(async () => {
    await pipeline.close()
  })

  for (const [pen, side] of THICKNESSES) {
    it(`reads lines that take ${100 * pen} % of ${side} pixels`, async () => {
      const drawings = HANDS.flatMap((digits) => digits.map((strokes) => lined(strokes, side, pen * side)))
      const batch = await Promise.all(
        drawings.map(async (ink) => pipeline.prepare(await encoded(inked(ink, 255, 0), side, side))),
      )
      const answers = await pipeline.predict(batch)
      expect(answers.filter(([best], at) => best?.index === at % 10)).to.have.length(30)
    })
  }
})

function options(weightsDir: string): PipelineOptions {
  return {
    model: 'digits',
    weightsDir,
    weightsUrl: NOBODY_LISTENS,
    engine: 'onnx',
    device: 'cpu',
    threads: 1,
    winograd: 'auto',
    precision: 'fp32',
    spin: false,
    maxBatch: 8,
    maxPixels: 50_000_000,
    prepareTimeout: 20_000,
  }
}

function rounded(probability: number): number {
  return Math.round(1e6 * probability) / 1e6
}

function noise(): Promise<Buffer> {
  const random = seeded(1)
  const levels = Uint8Array.from({ length: 40_000 }, () => 120 + random() * 60)
  return encoded(levels, 200, 200)
}

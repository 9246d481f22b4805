import { expect } from 'chai'
import { catalogNames, type OpenModel, openModel, PipelineError, readImage } from '../../pipeline/pipeline.ts'
import { drawn, encoded, inked } from '../support/digits.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const SIDE = 64

describe('openModel, for a pipeline of one’s own', () => {
  const weightsDir = temporaryFolder()
  const common = { weightsDir, device: 'cpu', threads: 1, spin: false } as const
  let model: OpenModel
  let seven: Buffer
  let one: Buffer

  before(async () => {
    seven = await encoded(inked(drawn({ digit: 7, width: SIDE }), 255, 0), SIDE, SIDE)
    one = await encoded(inked(drawn({ digit: 1, width: SIDE }), 255, 0), SIDE, SIDE)
    model = await openModel({ ...common, model: 'digits' })
  })
  after(() => model?.close())

  it('tells what the model takes and answers with', () => {
    expect(model.kind).to.equal('classes')
    expect(model.labels).to.deep.equal(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect(model.input).to.deep.equal({ width: 28, height: 28, channels: 1 })
    expect(model.outputShape).to.deep.equal([10])
    expect(model.info).to.include({ engine: 'onnx', device: 'cpu' })
    expect(model.watch.join()).to.contain('digits')
  })

  it('reads images, and gives the guesses and the numbers for each of them', async () => {
    const images = [await model.read(one), await model.read(seven)]
    const guesses = await model.guess(images, 2)
    expect(guesses.map((best) => best.map(({ label }) => label)[0])).to.deep.equal(['1', '7'])
    expect(guesses.map(({ length }) => length)).to.deep.equal([2, 2])
    const [first, second] = await model.run(images)
    expect(first).to.have.length(10)
    expect(best(first)).to.equal(1)
    expect(best(second)).to.equal(7)
    // A row of its own: it stays as it is when the next batch is computed.
    expect(second?.buffer.byteLength).to.equal(40)
  })

  it('gives every class the same chance where the picture shows no digit', async () => {
    const blank = await encoded(new Uint8Array(SIDE * SIDE).fill(255), SIDE, SIDE)
    const image = await model.read(blank)
    expect(image).to.equal(undefined)
    const [guesses] = await model.guess([image], 10)
    expect(guesses?.map(({ probability }) => probability.toFixed(3))).to.deep.equal(Array(10).fill('0.100'))
  })

  it('opens a classifier as features', async () => {
    const features = await openModel({ ...common, model: 'digits', settings: { kind: 'features' } })
    expect([features.kind, features.labels]).to.deep.equal(['features', []])
    const [vector] = await features.run([await features.read(seven)])
    expect(vector && best(vector)).to.equal(7)
    await features.close()
  })

  it('rejects with the error that a broker watches files for', async () => {
    const error = await openModel({ ...common, model: 'pets', path: '/none/pets.keras' }).catch(
      (error) => error,
    )
    expect(error).to.be.instanceOf(PipelineError).and.to.include({ code: 'ERR_MODEL_LOAD', permanent: true })
    expect(error.watch).to.include('/none/pets.keras')
  })

  it('comes with the reader of images, and the names of the catalog', async () => {
    const options = { height: 8, width: 8, interpolation: 'bilinear', crop: 'stretch' } as const
    expect(await readImage(seven, options)).to.have.length(8 * 8 * 3)
    expect(catalogNames).to.include.members(['vgg16', 'mobilenet'])
  })
})

function best(numbers: Float32Array | undefined): number {
  return numbers?.indexOf(Math.max(...numbers)) ?? -1
}

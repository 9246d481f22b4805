import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { findAndFetch } from '../../../pipeline/found-model.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { type OpenedModel, openModel } from '../../../pipeline/weights/open-model.ts'
import { relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { golden, goldenJson } from '../../support/golden.ts'
import {
  classesInput,
  type ExpectedClasses,
  flatNumbers,
  teachableInput,
} from '../../support/golden-classes.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const TOLERANCE = 1e-4

/** Every form in which a golden model is stored. */
const FORMS = ['keras3.keras', 'keras3.h5', 'keras2.h5', 'tfjs', 'keras/keras_model.h5']

/* Models made with Keras that go through the layer classes and their options, branch by branch. */
describe('the golden models of all layer classes', () => {
  const models = readdirSync(golden('classes')).sort()

  it('are 42', () => {
    expect(models).to.have.length(42)
  })

  for (const model of models) {
    for (const form of FORMS.filter((name) => existsSync(golden('classes', model, name)))) {
      it(`gives the numbers of Keras: ${model}, ${form}`, () => compare(model, form))
    }
  }
})

describe('a model with several outputs', () => {
  const path = golden('classes', 'head-two-outputs', 'keras3.keras')

  it('has the output that is asked for, by name or by place', async () => {
    for (const head of ['real', 1]) {
      const { layers, close } = await openModel(path, { head })
      await close()
      expect(layers?.output).to.equal('real')
    }
  })

  it('has the output that the setting head names', async () => {
    const weightsDir = temporaryFolder()
    const model = join(weightsDir, 'pets.keras')
    copyFileSync(path, model)
    writeFileSync(join(weightsDir, 'pets.json'), JSON.stringify({ head: 'real' }))
    const found = await findAndFetch({ model: 'pets', path: model, weightsDir }, () => undefined)
    const { layers, close } = await found.open()
    await close()
    expect(layers.output).to.equal('real')
  })

  it('refuses an output that it does not have, and names those that it has', async () => {
    for (const head of ['none', 2]) {
      const error = await openModel(path, { head }).catch((reason: unknown) => reason)
      expect(error).to.include({ code: 'ERR_MODEL_SETTINGS' })
      expect((error as Error).message).to.match(/"head" may be 0 or "kind", 1 or "real"/)
    }
  })
})

async function compare(model: string, form: string): Promise<void> {
  const expected = goldenJson<ExpectedClasses>('classes', model, 'expected.json')
  const [, height = 0, width = 0] = expected.input.shape
  const path = golden('classes', model, form)
  const opened = await openModel(path, { size: [height, width] })
  try {
    await compareOutputs(opened, expected)
  } finally {
    await opened.close()
  }
  for (const { input, output } of expected.moreInputs ?? []) {
    const other = await openModel(path, { size: [input.shape[1] ?? 0, input.shape[2] ?? 0] })
    try {
      const found = await outputOf(other, layersOf(other), (list) =>
        classesInput(input.shape, input.formula, list),
      )
      expectClose(found, { ...expected, output })
    } finally {
      await other.close()
    }
  }
}

async function compareOutputs(opened: OpenedModel, expected: ExpectedClasses): Promise<void> {
  const list = layersOf(opened)
  const { shape, formula, pictures } = expected.input
  const input = (of: LayerList) => (pictures ? teachableInput() : classesInput(shape, formula, of))
  expectClose(await outputOf(opened, list, input), expected)
  expect(list.outputs?.length, 'outputs').to.equal(expected.outputs?.length)
  for (const [i, { values }] of (expected.outputs ?? []).entries()) {
    const found = await outputOf(opened, { ...list, output: list.outputs?.[i] ?? '' }, input)
    expectClose(found, { ...expected, output: { values } })
  }
}

function layersOf({ layers }: OpenedModel): LayerList {
  if (layers) return layers
  throw new Error('the file has no layers')
}

function outputOf({ weights }: OpenedModel, list: LayerList, input: (list: LayerList) => Uint8Array) {
  if (!weights) throw new Error('the file has no weights')
  return withCompiled(list, weights, {}, (path) => withEngine(path, (engine) => engine.run(input(list), 2)))
}

/** Compares each branch of each image by itself: a small branch cannot hide behind a large one. */
function expectClose(
  found: Float32Array,
  { output, branches, tolerance = TOLERANCE, float32 }: ExpectedClasses,
) {
  const all = flatNumbers(output.values)
  expect(found).to.have.length(all.length)
  const size = all.length / 2
  const parts = branches ?? [{ name: 'the output', from: 0, to: size }]
  const wrong = [0, 1].flatMap((row) =>
    parts.flatMap(({ name, from, to }) => {
      const part = (numbers: ArrayLike<number>) =>
        Array.from(numbers).slice(row * size + from, row * size + to)
      // Zeros have no size to which a difference is relative.
      const isZero = part(all).every((value) => value === 0)
      const error = isZero ? Math.max(...part(found).map(Math.abs)) : relativeError(part(found), part(all))
      return error < tolerance ? [] : [`${name} of image ${row}: ${error}`]
    }),
  )
  expect(wrong).to.deep.equal([])
  // The same arrays in float32 throughout, in which Tandem computes.
  if (float32) expect(relativeError(found, flatNumbers(float32.values))).to.be.below(TOLERANCE)
}

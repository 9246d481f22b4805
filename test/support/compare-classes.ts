import { expect } from 'chai'
import type { LayerList } from '../../pipeline/models/networks/layer-list.ts'
import { type OpenedModel, openModel } from '../../pipeline/weights/open-model.ts'
import { relativeError, withCompiled, withEngine } from './compiled.ts'
import { golden, goldenJson } from './golden.ts'
import { classesInput, type ExpectedClasses, flatNumbers, teachableInput } from './golden-classes.ts'

const TOLERANCE = 1e-4

/** Compares one form of a golden model with the numbers of Keras, branch by branch. */
export async function compareWithKeras(model: string, form: string): Promise<void> {
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
  expectClose(await outputOf(opened, only(list, list.output), input), expected)
  expect(list.outputs?.length, 'outputs').to.equal(expected.outputs?.length)
  for (const [i, { values }] of (expected.outputs ?? []).entries()) {
    const found = await outputOf(opened, only(list, list.outputs?.[i] ?? ''), input)
    expectClose(found, { ...expected, output: { values } })
  }
}

/** The list with one output. */
function only({ outputs: _, ...list }: LayerList, output: string): LayerList {
  return { ...list, output }
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

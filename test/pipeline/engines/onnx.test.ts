import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { type OnnxEngine, type OnnxOptions, openOnnx } from '../../../pipeline/engines/onnx/onnx.ts'
import { modelInput, outputShape, wantedOutput } from '../../../pipeline/engines/onnx/onnx-metadata.ts'
import { openOnnxThread } from '../../../pipeline/engines/onnx/onnx-thread.ts'
import { codeOf, errorOf } from '../../support/broker.ts'
import { withCompiled } from '../../support/compiled.ts'
import { counting, sketch, storeOf } from '../../support/small-models.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const ways: [string, (options: OnnxOptions) => Promise<OnnxEngine>][] = [
  ['on this thread', openOnnx],
  ['on a thread of its own', openOnnxThread],
]

for (const [where, open] of ways) {
  describe(`engine onnx ${where}`, () => {
    const list = sketch([64], ['Dense', { units: 64, use_bias: false }])
    const identity = Array.from({ length: 64 * 64 }, (_, i) => (i % 65 === 0 ? 1 : 0))
    const weights = () => storeOf({ a: [{ shape: [64, 64], values: identity }] })
    const options = (modelPath: string) => ({ modelPath, threads: 1, device: 'cpu', spin: false }) as const

    const withModel = (use: (engine: OnnxEngine) => Promise<void>) =>
      withCompiled(list, weights(), { input: 'uint8' }, async (path) => {
        const engine = await open(options(path))
        await use(engine).finally(() => engine.close())
      })

    it('reports the shapes of input and output', () =>
      withModel(async ({ name, device, input, inputShape, outputSize }) => {
        expect({ name, device, inputShape, outputSize }).to.deep.equal({
          name: 'onnx',
          device: 'cpu',
          inputShape: [64],
          outputSize: 64,
        })
        expect(input).to.include({ type: 'uint8', batch: undefined })
      }))

    it('runs any number of inputs, and does not change them', () =>
      withModel(async (engine) => {
        for (const n of [1, 3, 2]) {
          const bytes = Uint8Array.from(counting(64 * n))
          expect([...(await engine.run(bytes, n))]).to.deep.equal([...bytes])
          expect(bytes).to.have.length(64 * n)
        }
        // Part of a larger buffer, that begins anywhere.
        const part = Uint8Array.from(counting(100)).subarray(3, 67)
        expect([...(await engine.run(part, 1))]).to.deep.equal(counting(64, 4))
      }))

    it('refuses bytes that do not fill the inputs', () =>
      withModel(async (engine) => {
        expect(await codeOf(engine.run(new Uint8Array(63), 1))).to.equal('ERR_ENGINE')
        expect((await engine.run(new Uint8Array(64), 1)).length).to.equal(64)
      }))

    it('can be closed twice, and then refuses to run', () =>
      withModel(async (engine) => {
        await engine.close()
        expect(await codeOf(engine.run(new Uint8Array(64), 1))).to.equal('ERR_ENGINE')
      }))

    it('refuses a file that is no model', async () => {
      const folder = temporaryFolder()
      const path = join(folder, 'text.onnx')
      writeFileSync(path, 'this is a text')
      const { code, message } = await errorOf(open(options(path)))
      rmSync(folder, { recursive: true })
      expect(code).to.equal('ERR_MODEL_LOAD')
      expect(message).to.include(path)
    })

    it('refuses a model whose weights were cut short', () =>
      withCompiled(list, weights(), {}, async (path) => {
        truncateSync(join(dirname(path), 'model.data'), 4096)
        expect(await codeOf(open(options(path)))).to.equal('ERR_MODEL_LOAD')
      }))
  })
}

describe('the thread of engine onnx', () => {
  it('leaves this thread free while it computes', () => {
    const filters = 64
    const config = { filters, kernel_size: 3, padding: 'same', use_bias: false }
    const list = sketch([128, 128, 64], ['Conv2D', config], ['Conv2D', config], ['GlobalMaxPooling2D'])
    const kernel = { shape: [3, 3, 64, filters], values: Array(9 * 64 * filters).fill(0.01) }
    return withCompiled(
      list,
      storeOf({ a: [kernel], b: [kernel] }),
      { input: 'uint8' },
      async (modelPath) => {
        const engine = await openOnnxThread({ modelPath, threads: 1, device: 'cpu', spin: false })
        let turns = 0
        const timer = setInterval(() => turns++, 1)
        await engine.run(new Uint8Array(4 * 128 * 128 * 64), 4)
        clearInterval(timer)
        await engine.close()
        expect(turns).to.be.above(3)
        expect(await codeOf(engine.run(new Uint8Array(0), 0))).to.equal('ERR_ENGINE')
      },
    )
  })
})

describe('the input of an ONNX file of the user', () => {
  const tensor = (shape: (number | string)[], type = 'float32') =>
    [{ name: 'x', isTensor: true, type, shape }] as unknown as Parameters<typeof modelInput>[0]

  it('is read from the file: order, size, type', () => {
    expect(modelInput(tensor(['n', 3, 224, 200]), 'm')).to.deep.equal({
      name: 'x',
      type: 'float32',
      order: 'nchw',
      half: false,
      shape: [224, 200, 3],
      batch: undefined,
      anySize: false,
    })
    expect(modelInput(tensor([1, 224, 200, 3], 'uint8'), 'm')).to.deep.include({
      type: 'uint8',
      order: 'nhwc',
      shape: [224, 200, 3],
      batch: 1,
    })
  })

  it('has its channels from the graph where the file has only a name for them', () => {
    const named = (shape: (number | string)[], channels?: number) =>
      modelInput(tensor(shape), 'm', [96, 64], channels === undefined ? {} : { channels })
    expect(named(['n', 'c', 224, 200], 1)).to.deep.include({ order: 'nchw', shape: [224, 200, 1] })
    expect(named(['n', 224, 200, 'c'])).to.deep.include({ order: 'nhwc', shape: [224, 200, 3] })
    expect(named(['n', 'c', 'h', 'w'])).to.deep.include({ order: 'nchw', shape: [96, 64, 3], anySize: true })
  })

  it('may have its size in the settings', () => {
    expect(modelInput(tensor(['n', 3, 'h', 'w']), 'm', [96, 64]).shape).to.deep.equal([96, 64, 3])
    expect(() => modelInput(tensor(['n', 3, 'h', 'w']), 'm')).to.throw('the size of its images must be set')
  })

  it('is refused if it is not one image, or if the output is not scores', () => {
    const two = [...tensor(['n', 3]), ...tensor(['n', 3])]
    for (const inputs of [two, tensor(['n', 3, 8, 8], 'int64'), tensor(['n'])]) {
      expect(() => modelInput(inputs, 'm'))
        .to.throw()
        .with.property('code', 'ERR_MODEL_UNSUPPORTED')
    }
    expect(outputShape(wantedOutput(tensor(['n', 10, 1, 1])), 'm')).to.deep.equal([10, 1, 1])
    expect(outputShape(wantedOutput(tensor(['n', 'classes'])), 'm')).to.equal(undefined)
    expect(() => outputShape(wantedOutput(tensor(['n', 10], 'int64')), 'm'))
      .to.throw()
      .with.property('code', 'ERR_MODEL_UNSUPPORTED')
  })
})

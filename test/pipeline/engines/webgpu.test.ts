import { expect } from 'chai'
import type { Measured } from '../../../pipeline/engines/device/measure.ts'
import { openOnnxThread } from '../../../pipeline/engines/onnx/onnx-thread.ts'
import { probeOnnx } from '../../../pipeline/engines/onnx/probe-onnx.ts'
import type { WeightStore } from '../../../pipeline/graph/weight-store.ts'
import type { LayerList } from '../../../pipeline/models/networks/layer-list.ts'
import { bytesOf, relativeError, withCompiled, withEngine } from '../../support/compiled.ts'
import { golden, goldenJson } from '../../support/golden.ts'
import { topologyOf } from '../../support/keras-topology.ts'
import { anyWeights, smallNetwork } from '../../support/small-network.ts'
import { type SyntheticLayer, tinyInput } from '../../support/synthetic.ts'
import { syntheticStore } from '../../support/synthetic-store.ts'

const TOLERANCE = 1e-4
/** What ONNX Runtime says where Vulkan, or a device for it, is missing. */
const NO_DEVICE = /Failed to get a WebGPU adapter|no available backend|not supported|cannot be found/
const GOLDEN_MODEL = 'mobilenetish'

describe('WebGPU', () => {
  it('gives the numbers of the CPU: a small network', async function () {
    this.timeout(60_000)
    const layers = network()
    await compare(this, layers, anyWeights(layers))
  })

  it('gives them on a thread of its own, as in the service', async function () {
    this.timeout(60_000)
    const layers = network()
    const pixels = pixelsFor(layers)
    await withCompiled(layers, anyWeights(layers), {}, async (modelPath) => {
      // In this process only where it has been seen to work in another.
      const { output } = await measuredOrSkipped(this, modelPath, pixels)
      const engine = await openOnnxThread({ modelPath, threads: 1, device: 'webgpu', spin: false })
      expect(relativeError(await engine.run(pixels, 2), output)).to.be.below(TOLERANCE)
      await engine.close()
    })
  })
})

describe('WebGPU on a golden model', () => {
  it(`gives the numbers of the CPU: ${GOLDEN_MODEL}`, async function () {
    this.timeout(60_000)
    const { weights } = goldenJson<{ weights: SyntheticLayer[] }>('formats', GOLDEN_MODEL, 'expected.json')
    const layers = topologyOf(golden('formats', GOLDEN_MODEL, 'topology.keras2.json'))
    await compare(this, layers, syntheticStore(weights))
  })
})

function network(): LayerList {
  return smallNetwork(
    [12, 10, 3],
    [
      ['Conv2D', { kernel_size: 3, filters: 8, padding: 'same', activation: 'relu' }],
      ['MaxPooling2D', { pool_size: 2 }],
      ['DepthwiseConv2D', { kernel_size: 3, padding: 'same' }],
      ['BatchNormalization'],
      ['GlobalAveragePooling2D'],
      ['Dense', { units: 5, activation: 'softmax' }],
    ],
  )
}

/** Two images. */
function pixelsFor({ inputShape }: LayerList): Uint8Array {
  return bytesOf(tinyInput(2 * inputShape.reduce((a, b) => a * b)))
}

async function compare(context: Mocha.Context, layers: LayerList, weights: WeightStore): Promise<void> {
  const pixels = pixelsFor(layers)
  await withCompiled(layers, weights, {}, async (modelPath) => {
    const expected = await withEngine(modelPath, (engine) => engine.run(pixels, 2))
    const { output } = await measuredOrSkipped(context, modelPath, pixels)
    expect(output.length).to.equal(expected.length)
    expect(relativeError(output, expected)).to.be.below(TOLERANCE)
  })
}

async function measuredOrSkipped(
  context: Mocha.Context,
  modelPath: string,
  pixels: Uint8Array,
): Promise<Measured> {
  try {
    return await probeOnnx({ modelPath, threads: 1, spin: false }, 2)('webgpu', pixels)
  } catch (error) {
    if (!(error instanceof Error) || !NO_DEVICE.test(error.message)) throw error
    if (context.test) context.test.title += ' (skipped: there is no Vulkan device)'
    return context.skip()
  }
}

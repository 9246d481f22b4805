import { expect } from 'chai'
import type { Measured } from '../../../pipeline/engines/device/measure.ts'
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
    const layers = smallNetwork(
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
    await compare(this, layers, anyWeights(layers))
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

async function compare(context: Mocha.Context, layers: LayerList, weights: WeightStore): Promise<void> {
  const pixels = bytesOf(tinyInput(2 * layers.inputShape.reduce((a, b) => a * b)))
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
    return await probeOnnx({ modelPath, threads: 1, spin: false }, pixels, 2)('webgpu')
  } catch (error) {
    if (!(error instanceof Error) || !NO_DEVICE.test(error.message)) throw error
    if (context.test) context.test.title += ' (skipped: there is no Vulkan device)'
    return context.skip()
  }
}

/** ONNX Runtime alone: runs a model as fast as possible for the ordered time. */
import '../../pipeline/engines/onnx/no-telemetry.ts'
import { InferenceSession, Tensor } from 'onnxruntime-node'

interface Order {
  batch: number
  forMs: number
}

const [modelPath = '', threads = '0', prepack = '0'] = process.argv.slice(2)
const session = await InferenceSession.create(modelPath, {
  intraOpNumThreads: Number(threads),
  extra: { session: { disable_prepacking: prepack === '1' ? '0' : '1' } },
})
const [input = ''] = session.inputNames
const [metadata] = session.inputMetadata
const [, ...shape] = (metadata?.isTensor && metadata.shape.map(Number)) || []
const size = shape.reduce((product, length) => product * length, 1)

process.on('message', async ({ batch, forMs }: Order) => {
  const pixels = new Uint8Array(batch * size).map((_, i) => i % 251)
  const feeds = { [input]: new Tensor('uint8', pixels, [batch, ...shape]) }
  await session.run(feeds)
  const times = []
  const start = performance.now()
  while (performance.now() - start < forMs) {
    const before = performance.now()
    await session.run(feeds)
    times.push(performance.now() - before)
  }
  process.send?.({ times, imagesPerSecond: (times.length * batch * 1000) / (performance.now() - start) })
})
process.send?.('ready')

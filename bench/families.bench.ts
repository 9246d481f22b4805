/**
 * A network of each family of the catalog: the first start, which compiles, its memory, and the engine alone:
 * `npm run bench -- families [models [milliseconds of one measurement]]`, the list with commas.
 */
import { availableParallelism } from 'node:os'
import { childMemory, mib } from './child-memory.ts'
import { openPeer } from './engine-peer.ts'
import { startService } from './http.ts'
import { machine, percentile, table } from './statistics.ts'
import { forget, parametersOf, pixelsOf, weighted } from './synthetic-model.ts'

const FAMILIES = [
  'vgg16',
  'resnet50',
  'resnet50v2',
  'resnetrs50',
  'densenet121',
  'inception_v3',
  'inception_resnet_v2',
  'xception',
  'nasnet_mobile',
  'mobilenet',
  'mobilenet_v2',
  'mobilenet_v3_large',
  'efficientnetb0',
  'efficientnetv2b0',
  'convnext_tiny',
  'regnetx032',
  'regnety032',
]
const BATCH = 8
const [names, ROUND_MS] = [process.argv[3]?.split(',') ?? FAMILIES, Number(process.argv[4] ?? 1_000)]

console.log(`${machine()}\n`)
const rows: string[][] = []
for (const name of names) {
  // The weights are written before the clock runs.
  const { settings, path } = await weighted(name)
  forget(name)
  const service = await startService({ ...settings, DEVICE: 'cpu', LOG_LEVEL: 'info' })
  const firstMs = await service.seen('model state', { state: 'ready' })
  const peak = childMemory(service, 'VmHWM')
  await service.stop()
  const again = await startService({ ...settings, DEVICE: 'cpu', LOG_LEVEL: 'info' })
  const laterMs = await again.seen('model state', { state: 'ready' })
  await again.stop()
  const peer = await openPeer({
    modelPath: path(),
    device: 'cpu',
    threads: availableParallelism(),
    spin: true,
  })
  const run = (batch: number) => peer.run({ batch, pixels: pixelsOf(name, batch), forMs: ROUND_MS })
  const [one, many] = [await run(1), await run(BATCH)]
  peer.close()
  rows.push([
    name,
    `${(parametersOf(name) / 1e6).toFixed(1)} M`,
    seconds(firstMs),
    seconds(laterMs),
    mib(peak),
    `${percentile(one.times, 0.5).toFixed(1)} ms`,
    `${((1000 * BATCH) / percentile(many.times, 0.5)).toFixed(1)}/s`,
  ])
}
console.log(
  table(
    [
      'model',
      'parameters',
      'first start',
      'later start',
      'peak memory of the child',
      'batch 1',
      `batch ${BATCH}`,
    ],
    rows,
  ),
)

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

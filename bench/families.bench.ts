/**
 * A network of each family of the catalog: the first start, which compiles, and the memory of its child:
 * `npm run bench -- families [models]`, the list with commas.
 */
import { childMemory, childrenOf, mib } from './child-memory.ts'
import { cpuSeconds } from './fleet/cpu-time.ts'
import { startService } from './http.ts'
import { machine, table } from './statistics.ts'
import { forget, parametersOf, weighted } from './synthetic-model.ts'

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
const names = process.argv[3]?.split(',') ?? FAMILIES

console.log(`${machine()}\n`)
const rows: string[][] = []
for (const name of names) {
  // The weights are written before the clock runs.
  const { settings } = await weighted(name)
  forget(name)
  const service = await startService({ ...settings, DEVICE: 'cpu', LOG_LEVEL: 'info' })
  const firstMs = await service.seen('model state', { state: 'ready' })
  const cpu = cpuSeconds(childrenOf(service.pid))
  const peak = childMemory(service, 'VmHWM')
  await service.stop()
  const again = await startService({ ...settings, DEVICE: 'cpu', LOG_LEVEL: 'info' })
  const laterMs = await again.seen('model state', { state: 'ready' })
  await again.stop()
  rows.push([
    name,
    `${(parametersOf(name) / 1e6).toFixed(1)} M`,
    seconds(firstMs),
    seconds(cpu * 1000),
    seconds(laterMs),
    mib(peak),
  ])
}
console.log(
  table(
    [
      'model',
      'parameters',
      'first start',
      'CPU time of its child',
      'later start',
      'peak memory of the child',
    ],
    rows,
  ),
)

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

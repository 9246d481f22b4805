/**
 * What each device of this machine makes of a model, alone and behind the service:
 * `npm run bench -- device [models] [batches] [milliseconds of one measurement] [devices]`, the lists with commas.
 */
import { Agent } from 'node:http'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { listSupportedBackends } from 'onnxruntime-node'
import { availableDevices } from '../pipeline/engines/device/available-devices.ts'
import type { Device } from '../pipeline/engines/engine.ts'
import { relativeError } from '../test/support/compiled.ts'
import { callers, photograph } from './callers.ts'
import { cardMemory, cards } from './card.ts'
import { openPeer } from './engine-peer.ts'
import { send, startService } from './http.ts'
import { machine, percentile, table } from './statistics.ts'
import { golden, type Model, pixelsOf, prepared } from './synthetic-model.ts'

const [models, batches, ROUND_MS, devices] = readArguments(process.argv.slice(3))
const CALLERS = 32
const TOLERANCE = 1e-4
const agent = new Agent({ keepAlive: true, maxSockets: CALLERS + 2 })
const photo = await photograph()

const runs: string[][] = []
const costs: string[][] = []
const services: string[][] = []
/** Images per second of the engine alone, by model, device and batch. */
const rates = new Map<string, number>()

console.log(`${machine()}\n`)
console.log(
  `Cards: ${cards()?.map(({ name, driver }) => `${name}, driver ${driver}`) ?? 'nvidia-smi tells of none'}`,
)
console.log(`Backends of ONNX Runtime: ${listSupportedBackends().map(({ name }) => name)}`)
console.log(
  `Devices found: ${availableDevices()}${availableDevices().length > 1 ? '' : ' (no GPU: the CPU alone is measured)'}\n`,
)
for (const name of models) {
  const model = await prepared(name)
  const expected = new Map<number, Float32Array>()
  // The CPU comes first: the others are compared with it.
  for (const device of devices) await measureDevice(model, device, expected)
}
console.log(
  table(
    ['model', 'device', 'batch', 'first run', 'an image', 'images', "from the CPU's", "from Keras'"],
    runs,
  ),
)
console.log(
  `\n${table(['model', 'device', 'opened in', 'RSS of the process', 'memory of the card'], costs)}\n`,
)
for (const name of models) {
  const model = await prepared(name)
  for (const device of devices) {
    const sizes = batches.filter((batch) => batch > 1 && (device !== 'cpu' || batch === 8))
    for (const batch of sizes) await measureService(model, device, batch)
    if (device !== 'cpu') await measureService(model, device, 8, 2)
  }
  await measureService(model, 'auto', 8)
}
agent.destroy()
console.log(
  table(
    [
      'model',
      'DEVICE',
      'MAX_BATCH',
      'WORKERS',
      `${CALLERS} callers`,
      'mean batch',
      'of the engine alone',
      'p50',
      'ready in',
    ],
    services,
  ),
)

function readArguments([models, batches, ms, devices]: string[]) {
  return [
    models?.split(',') ?? ['vgg16', 'resnet50', 'mobilenet_v2'],
    batches?.split(',').map(Number) ?? [1, 8, 32, 64],
    Number(ms ?? 3_000),
    (devices?.split(',') as Device[] | undefined) ?? availableDevices(),
  ] as const
}

async function measureDevice(
  model: Model,
  device: Device,
  expected: Map<number, Float32Array>,
): Promise<void> {
  const before = cardMemory()
  try {
    const peer = await openPeer({
      modelPath: model.path(),
      device,
      threads: availableParallelism(),
      spin: true,
    })
    let [rss, card] = [0, 0]
    try {
      for (const batch of batches) {
        const run = await peer.run({ batch, pixels: pixelsOf(model.name, batch), forMs: ROUND_MS })
        if (device === 'cpu') expected.set(batch, run.output)
        const each = percentile(run.times, 0.5) / batch
        rates.set(`${model.name} ${device} ${batch}`, 1000 / each)
        ;[rss, card] = [Math.max(rss, run.rssBytes), Math.max(card, cardMemory() - before)]
        runs.push([
          model.name,
          device,
          String(batch),
          ms(run.firstMs),
          ms(each),
          `${(1000 / each).toFixed(1)}/s`,
          device === 'cpu' ? '' : difference(run.output, expected.get(batch)),
          difference(run.output.subarray(0, run.output.length / batch), golden(model.name)),
        ])
      }
    } finally {
      costs.push([
        model.name,
        device,
        ms(peer.openMs),
        `${Math.round(rss / 2 ** 20)} MB`,
        Number.isNaN(card) ? 'not told' : `${card} MB`,
      ])
      peer.close()
    }
  } catch (error) {
    console.log(`${model.name} on ${device} failed: ${error instanceof Error ? error.message : error}`)
  }
}

/** As a part of the largest. */
function difference(found: Float32Array, expected: ArrayLike<number> | undefined): string {
  if (!expected) return 'not known'
  const error = relativeError(found, expected)
  return `${error.toExponential(1)}${error <= TOLERANCE ? '' : ', MORE THAN ALLOWED'}`
}

async function measureService(
  model: Model,
  device: Device | 'auto',
  batch: number,
  workers = 1,
): Promise<void> {
  const settings = {
    DEVICE: device,
    MAX_BATCH: String(batch),
    WORKERS: String(workers),
    HANG_TIMEOUT_MS: '120000',
    LOG_LEVEL: 'info',
  }
  const service = await startService({ ...model.settings, ...settings })
  const ready = await service.seen('model state', { state: 'ready' })
  while ((await readiness(service.url, model.name)).workers.some((state) => state !== 'ready'))
    await delay(50)
  const load = { url: `${service.url}/${model.name}`, agent, photo, count: CALLERS }
  await callers({ ...load, forMs: ROUND_MS / 4 })
  const { times, perSecond } = await callers({ ...load, forMs: ROUND_MS })
  const state = await readiness(service.url, model.name)
  const meanBatch = meanBatchIn(await send(`${service.url}/metrics`, agent))
  await service.stop()
  if (device === 'auto') console.log(`DEVICE=auto, ${model.name}: ${state.reason}`)
  const alone = rates.get(`${model.name} ${state.device} ${batch}`)
  services.push([
    model.name,
    device === state.device ? device : `${device}: ${state.device}`,
    String(batch),
    String(workers),
    `${perSecond.toFixed(1)}/s`,
    meanBatch,
    alone ? (perSecond / alone).toFixed(3) : 'not measured',
    ms(percentile(times, 0.5)),
    ms(ready),
  ])
}

function meanBatchIn(metrics: string): string {
  const [sum, count] = ['sum', 'count'].map((what) =>
    Number(new RegExp(`^tandem_batch_size_${what}.* ([\\d.e+]+)$`, 'm').exec(metrics)?.[1]),
  )
  return ((sum ?? Number.NaN) / (count ?? Number.NaN)).toFixed(1)
}

interface Ready {
  readonly device: string | null
  readonly reason: string | null
  readonly workers: readonly string[]
}

async function readiness(url: string, name: string): Promise<Ready> {
  const { models } = JSON.parse(await send(`${url}/readyz`, agent)) as { models: Record<string, Ready> }
  return models[name] ?? { device: null, reason: null, workers: [] }
}

function ms(value: number): string {
  return `${value.toFixed(value < 100 ? 2 : 0)} ms`
}

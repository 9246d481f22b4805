/** The cost of serving: each model over HTTP, compared with the bare ONNX Runtime session on the same cores in one run. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeSyntheticH5 } from '../test/support/synthetic-h5.ts'
import { callers, photograph } from './callers.ts'
import { childMemory, childrenOf, kernelFigure, mib } from './child-memory.ts'
import { send, startService } from './http.ts'
import { machine, percentile, table } from './statistics.ts'

const CALLERS = 16
const BATCH = 8
const ROUNDS = 3
const ROUND_MS = Number(process.argv[4] ?? 5_000)
const folder = join(tmpdir(), 'tandem-bench')
const agent = new Agent({ keepAlive: true, maxSockets: CALLERS + 2 })
const photo = await photograph()

interface Bare {
  times: number[]
  imagesPerSecond: number
}

console.log(`${machine()}\n`)
const speed: string[][] = []
const costs: string[][] = []
for (const name of process.argv[3]?.split(',') ?? ['vgg16', 'resnet50']) await measure(name)
agent.destroy()
console.log(
  table(
    [
      'model',
      `${CALLERS} callers`,
      `bare, batch ${BATCH}`,
      'ratio',
      '1 caller, p50',
      'bare, batch 1',
      'difference',
      'speed',
    ],
    speed,
  ),
)
console.log(`\n${table(['model', 'figure', 'measured'], costs)}`)

async function measure(name: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const weights = join(folder, `${name}.h5`)
  if (!existsSync(weights)) await writeSyntheticH5(name, weights)
  const cache = join(folder, `cache-${name}`)
  rmSync(cache, { recursive: true, force: true })
  const settings = {
    MODELS: `${name}=${weights}`,
    WEIGHTS_DIR: cache,
    DEVICE: 'cpu',
    LOG_LEVEL: 'info',
    // No cache, because every caller sends the same photograph.
    CACHE_ENTRIES: '0',
  }
  const ready = { state: 'ready' }

  const first = await startService(settings)
  costs.push([name, 'first start: compile, then ready', ms(await first.seen('model state', ready))])
  costs.push([name, 'peak memory of the child that compiles', mib(childMemory(first, 'VmHWM'))])
  await first.stop()

  const tuned = await startService({ ...settings, TUNING_MS: '20000' })
  await tuned.seen('tuned model serves')
  const { tuning } = await readiness(tuned.url)
  costs.push([name, 'tuned while idle', tuning?.sentence ?? 'nothing is faster'])
  await tuned.stop()

  const listens = []
  const starts = []
  for (let i = 0; i < 3; i++) {
    const again = await startService(settings)
    listens.push(await again.seen('listening'))
    starts.push(await again.seen('model state', ready))
    await again.stop()
  }
  costs.push([name, 'start to listening (median of 3)', ms(percentile(listens, 0.5))])
  costs.push([
    name,
    'later start, compiled file in place, to ready (median of 3)',
    ms(percentile(starts, 0.5)),
  ])

  const service = await startService(settings)
  await service.seen('model state', ready)
  const bare = fork(new URL('./peers/bare-session.ts', import.meta.url), [
    compiledIn(cache),
    String(availableParallelism()),
  ])
  await once(bare, 'message')
  const runBare = async (batch: number): Promise<Bare> => {
    bare.send({ batch, forMs: ROUND_MS })
    const [result] = await once(bare, 'message')
    return result
  }
  const load = { url: `${service.url}/${name}`, agent, photo, count: CALLERS, forMs: ROUND_MS }
  const single: number[] = []
  const singleBare: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    singleBare.push(...(await runBare(1)).times)
    single.push(...(await callers({ ...load, count: 1 })).times)
  }
  costs.push([name, 'private memory of the child, batch 1', mib(childMemory(service, 'RssAnon'))])
  const rates: number[] = []
  const bareRates: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    bareRates.push((await runBare(BATCH)).imagesPerSecond)
    rates.push((await callers(load)).perSecond)
  }
  costs.push([name, `private memory of the child, batch ${BATCH}`, mib(childMemory(service, 'RssAnon'))])
  bare.disconnect()
  await service.stop()
  const [p50, bareP50] = [percentile(single, 0.5), percentile(singleBare, 0.5)]
  const [rate, bareRate] = [percentile(rates, 0.5), percentile(bareRates, 0.5)]
  speed.push([
    name,
    `${rate.toFixed(2)}/s`,
    `${bareRate.toFixed(2)}/s`,
    (rate / bareRate).toFixed(3),
    ms(p50),
    ms(bareP50),
    ms(p50 - bareP50),
    `${(bareP50 / p50).toFixed(2)} ×`,
  ])
  await measureSharing(name, settings)
}

/** Measures two children of one model, which share the memory pages of the weights. */
async function measureSharing(name: string, settings: Record<string, string>): Promise<void> {
  const service = await startService({ ...settings, WORKERS: '2' })
  await service.seen('model state', { state: 'ready' })
  for (let ready = 0; ready < 2; ) {
    ready = (await readiness(service.url)).workers.filter((state) => state === 'ready').length
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await callers({ url: `${service.url}/${name}`, agent, photo, count: CALLERS, forMs: ROUND_MS })
  const figures = childrenOf(service.pid).map(
    (pid) => `Rss ${mib(smaps(pid, 'Rss'))}, Pss ${mib(smaps(pid, 'Pss'))}`,
  )
  costs.push([name, 'two children, each', figures.join(' · ')])
  await service.stop()
}

interface Readiness {
  tuning: { sentence: string | null } | null
  workers: string[]
}

async function readiness(url: string): Promise<Readiness> {
  const { models } = JSON.parse(await send(`${url}/readyz`, agent)) as { models: Record<string, Readiness> }
  return Object.values(models)[0] ?? { workers: [], tuning: null }
}

function smaps(pid: number, field: string): number {
  return kernelFigure(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), field)
}

function compiledIn(cache: string): string {
  // Folders inside that of a compiled model have saved graphs.
  const [file] = readdirSync(cache, { recursive: true, encoding: 'utf8' })
    .filter((entry) => entry.endsWith('.onnx'))
    .sort((a, b) => a.length - b.length)
  if (!file) throw new Error(`There is no compiled model in ${cache}.`)
  return join(cache, file)
}

function ms(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`
}

/** The cost of serving: each model over HTTP, compared with the bare ONNX Runtime session on the same cores in one run. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeSyntheticH5 } from '../test/support/synthetic-h5.ts'
import { type Call, callers, photograph } from './callers.ts'
import { childMemory, childrenOf, kernelFigure, mib } from './child-memory.ts'
import { type BenchService, type Program, send, startService } from './http.ts'
import { machine, percentile, table } from './statistics.ts'

const CALLERS = 16
const BATCH = 8
const ROUNDS = 3
const STARTS = 5
const ROUND_MS = Number(process.argv[4] ?? 5_000)
const MODELS = ['vgg16', 'resnet50', 'inception_v3', 'mobilenet_v2']
const folder = join(tmpdir(), 'tandem-bench')
const agent = new Agent({ keepAlive: true, maxSockets: CALLERS + 2 })
const photo = await photograph()
const READY = { state: 'ready' }

const one: string[][] = []
const many: string[][] = []
const starts: string[][] = []
const costs: string[][] = []

console.log(`${machine()}\n`)
execFileSync('npm', ['run', 'build'], { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: 'ignore' })
for (const name of process.argv[3]?.split(',') ?? MODELS) await measure(name)
agent.destroy()
show(
  [
    'model',
    'bare, one image',
    'served',
    'speed',
    'bare, served graph',
    'served / that',
    'HTTP',
    'above served',
  ],
  one,
)
show(['model', `bare, batch ${BATCH}`, `${CALLERS} callers`, 'ratio'], many)
show(['model', 'start', 'listening', 'first answer', 'ready'], starts)
show(['model', 'figure', 'measured'], costs)

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
  const first = await startService(settings)
  costs.push([name, 'first start: compile, then ready', ms(await first.seen('model state', READY))])
  costs.push([name, 'peak memory of the child that compiles', mib(childMemory(first, 'VmHWM'))])
  await first.stop()
  await measureTuning(name, settings)
  for (const program of ['built', 'sources'] as const) await measureStarts(name, settings, program)

  const service = await startService(settings)
  await service.seen('model state', READY)
  // The graph as compiled, with all convolutions direct, and the one that the service runs.
  const [compiled = '', ...own] = graphsIn(cache)
  const direct = await openBare(compiled)
  const served = await openBare(own.find((path) => path.includes('-tuned-')) ?? own[0] ?? compiled)
  await measureOne(name, service, { direct, served })
  await measureMany(name, service, direct)
  for (const peer of [direct, served]) peer.disconnect()
  await service.stop()
  await measureSharing(name, settings)
}

async function measureTuning(name: string, settings: Record<string, string>): Promise<void> {
  const service = await startService({ ...settings, TUNING_MS: '10000' })
  const begun = await service.seen('tuning begins')
  const ended = await service.seen('tuned model serves')
  const { tuning } = await readiness(service.url)
  costs.push([name, 'tuned while idle', tuning?.sentence ?? 'nothing is faster'])
  costs.push([name, 'time of the tuning, with compiling', ms(ended - begun)])
  await service.stop()
}

/** From the start of the process, with the model compiled and tuned. */
async function measureStarts(
  name: string,
  settings: Record<string, string>,
  program: Program,
): Promise<void> {
  const times: [number[], number[], number[]] = [[], [], []]
  for (let i = 0; i <= STARTS; i++) {
    const service = await startService(settings, program)
    await send(`${service.url}/healthz`, agent)
    const answered = service.age()
    const seen = [await service.seen('listening'), answered, await service.seen('model state', READY)]
    await service.stop()
    // The first start fills the caches of Node and of the system.
    if (i > 0) for (const [at, list] of times.entries()) list.push(seen[at] ?? Number.NaN)
  }
  const medians = times.map((list) => ms(percentile(list, 0.5)))
  starts.push([name, `${program}, median of ${STARTS}`, ...medians])
}

interface Bare {
  times: number[]
  imagesPerSecond: number
}

async function openBare(modelPath: string): Promise<ChildProcess> {
  const bare = fork(new URL('./peers/bare-session.ts', import.meta.url), [
    modelPath,
    String(availableParallelism()),
  ])
  await once(bare, 'message')
  return bare
}

async function runBare(bare: ChildProcess, batch: number): Promise<Bare> {
  bare.send({ batch, forMs: ROUND_MS })
  const [result] = await once(bare, 'message')
  return result
}

/** In turns, so that what else the machine does slows all of them down. */
async function measureOne(
  name: string,
  service: BenchService,
  bare: { direct: ChildProcess; served: ChildProcess },
): Promise<void> {
  const [direct, own]: [number[], number[]] = [[], []]
  const calls: Call[] = []
  for (let round = 0; round < ROUNDS; round++) {
    direct.push(...(await runBare(bare.direct, 1)).times)
    own.push(...(await runBare(bare.served, 1)).times)
    calls.push(...(await callers(loadOf(name, service, 1))).calls)
  }
  const [bareMs, ownMs, predictMs, httpMs, aboveMs] = [
    direct,
    own,
    calls.map(({ predict }) => predict),
    calls.map(({ http }) => http),
    calls.map(({ http, predict }) => http - predict),
  ].map((times) => percentile(times, 0.5)) as [number, number, number, number, number]
  const speed = `${(bareMs / predictMs).toFixed(2)} ×`
  const against = (predictMs / ownMs).toFixed(3)
  one.push([name, ms(bareMs), ms(predictMs), speed, ms(ownMs), against, ms(httpMs), ms(aboveMs)])
  costs.push([name, 'private memory of the child, one caller', mib(childMemory(service, 'RssAnon'))])
}

async function measureMany(name: string, service: BenchService, direct: ChildProcess): Promise<void> {
  const [rates, bareRates]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    bareRates.push((await runBare(direct, BATCH)).imagesPerSecond)
    rates.push((await callers(loadOf(name, service, CALLERS))).perSecond)
  }
  costs.push([name, `private memory of the child, ${CALLERS} callers`, mib(childMemory(service, 'RssAnon'))])
  const [rate, bareRate] = [percentile(rates, 0.5), percentile(bareRates, 0.5)]
  many.push([name, `${bareRate.toFixed(2)}/s`, `${rate.toFixed(2)}/s`, (rate / bareRate).toFixed(3)])
}

function loadOf(name: string, service: BenchService, count: number) {
  return { url: `${service.url}/${name}`, agent, photo, count, forMs: ROUND_MS }
}

/** Measures two children of one model, which share the memory pages of the weights. */
async function measureSharing(name: string, settings: Record<string, string>): Promise<void> {
  const service = await startService({ ...settings, WORKERS: '2' })
  await service.seen('model state', READY)
  for (let ready = 0; ready < 2; ) {
    ready = (await readiness(service.url)).workers.filter((state) => state === 'ready').length
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await callers(loadOf(name, service, CALLERS))
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

/** The compiled model first: folders inside that of the model have saved graphs. */
function graphsIn(cache: string): string[] {
  const files = readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.onnx'),
  )
  return files.sort((a, b) => a.length - b.length).map((file) => join(cache, file))
}

function show(head: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(`${table(head, rows)}\n`)
}

function ms(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`
}

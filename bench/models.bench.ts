/**
 * The cost of serving: each model over HTTP, compared with the bare ONNX Runtime session of its direct graph on the same cores in one
 * run. With int8 as the third argument, the service runs the model as bytes.
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { pictures } from '../test/support/pictures-of-noise.ts'
import { writeSyntheticH5 } from '../test/support/synthetic-h5.ts'
import { callers, photograph } from './callers.ts'
import { childMemory, childrenOf, kernelFigure, mib } from './child-memory.ts'
import { type BenchService, type Program, send, startService } from './http.ts'
import { machine, percentile, table } from './statistics.ts'

const CALLERS = 16
const BATCH = 8
const ROUNDS = 5
const STARTS = 5
const ROUND_MS = Number(process.argv[4] ?? 2_500)
const PRECISION = process.argv[5] ?? 'fp32'
/** To find the scales of int8. The weights are synthetic, so the speed counts and not the agreement. */
const PICTURES = 16
const SIDE = 300
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
const ROOT = fileURLToPath(new URL('..', import.meta.url))
execFileSync('npm', ['run', 'build'], { cwd: ROOT, stdio: 'ignore' })
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
    PRECISION,
    // No cache, because every caller sends the same photograph.
    CACHE_ENTRIES: '0',
  }
  const first = await startService({ ...settings, PRECISION: 'fp32' })
  costs.push([name, 'first start: compile, then ready', ms(await first.seen('model state', READY))])
  costs.push([name, 'peak memory of the child that compiles', mib(childMemory(first, 'VmHWM'))])
  await first.stop()
  if (PRECISION === 'int8') await quantize(name, settings)
  else await measureTuning(name, settings)
  for (const program of ['built', 'sources'] as const) await measureStarts(name, settings, program)

  const service = await startService(settings)
  await service.seen('model state', READY)
  // The graph as compiled, with all convolutions direct, and the one that the service runs.
  const [compiled = '', ...own] = graphsIn(join(cache, 'compiled'))
  const direct = await openBare(compiled)
  const served =
    PRECISION === 'int8'
      ? await openBare(graphsIn(join(cache, 'int8'))[0] ?? '', { prepack: true })
      : await openBare(own.find((path) => path.includes('-tuned-')) ?? own[0] ?? compiled)
  await measureOne(name, service, { direct, served })
  await measureMany(name, service, direct)
  for (const peer of [direct, served]) peer.disconnect()
  await service.stop()
  await measureSharing(name, settings)
}

/** With the command that users have. Any agreement will do. */
async function quantize(name: string, settings: Record<string, string>): Promise<void> {
  const images = join(folder, 'noise')
  mkdirSync(images, { recursive: true })
  const noise = pictures(PICTURES, [SIDE, SIDE, 3])
  for (let at = 0; at < PICTURES; at++) {
    const raw = { width: SIDE, height: SIDE, channels: 3 } as const
    await sharp(await noise.read(at), { raw })
      .jpeg()
      .toFile(join(images, `${at}.jpg`))
  }
  const args = ['dist/tandem.js', 'quantize', name, '--images', images, '--target', '0']
  const env = { ...process.env, ...settings, PRECISION: 'fp32' }
  const start = performance.now()
  execFileSync(process.execPath, args, { cwd: ROOT, env, stdio: 'ignore' })
  costs.push([name, `tandem quantize with ${PICTURES} pictures`, ms(performance.now() - start)])
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

async function openBare(modelPath: string, { prepack = false } = {}): Promise<ChildProcess> {
  const bare = fork(new URL('./peers/bare-session.ts', import.meta.url), [
    modelPath,
    String(availableParallelism()),
    prepack ? '1' : '0',
  ])
  await once(bare, 'message')
  return bare
}

async function runBare(bare: ChildProcess, batch: number): Promise<Bare> {
  bare.send({ batch, forMs: ROUND_MS })
  const [result] = await once(bare, 'message')
  return result
}

/**
 * In turns, and the ratios are the medians of those of each round: the memory of a machine that is shared with others is slower
 * in some minutes than in others, and Winograd's way needs more of it.
 */
async function measureOne(
  name: string,
  service: BenchService,
  bare: { direct: ChildProcess; served: ChildProcess },
): Promise<void> {
  const rounds: { direct: number; own: number; predict: number; http: number; above: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const direct = (await runBare(bare.direct, 1)).times
    const own = (await runBare(bare.served, 1)).times
    const { calls } = await callers(loadOf(name, service, 1))
    rounds.push({
      direct: percentile(direct, 0.5),
      own: percentile(own, 0.5),
      predict: median(calls, ({ predict }) => predict),
      http: median(calls, ({ http }) => http),
      above: median(calls, ({ http, predict }) => http - predict),
    })
  }
  const all = (of: (round: (typeof rounds)[number]) => number) => ms(median(rounds, of))
  one.push([
    name,
    all(({ direct }) => direct),
    all(({ predict }) => predict),
    `${ratios(rounds, ({ direct, predict }) => direct / predict)} ×`,
    all(({ own }) => own),
    ratios(rounds, ({ own, predict }) => predict / own),
    all(({ http }) => http),
    all(({ above }) => above),
  ])
  costs.push([name, 'private memory of the child, one caller', mib(childMemory(service, 'RssAnon'))])
}

async function measureMany(name: string, service: BenchService, direct: ChildProcess): Promise<void> {
  const rounds: { bare: number; served: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const bare = (await runBare(direct, BATCH)).imagesPerSecond
    rounds.push({ bare, served: (await callers(loadOf(name, service, CALLERS))).perSecond })
  }
  const rate = (of: (round: (typeof rounds)[number]) => number) => `${median(rounds, of).toFixed(2)}/s`
  const ratio = ratios(rounds, ({ bare, served }) => served / bare)
  many.push([name, rate(({ bare }) => bare), rate(({ served }) => served), ratio])
  costs.push([name, `private memory of the child, ${CALLERS} callers`, mib(childMemory(service, 'RssAnon'))])
}

function median<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return percentile(items.map(of), 0.5)
}

/** The median, and the range. */
function ratios<Item>(items: readonly Item[], of: (item: Item) => number): string {
  const all = items.map(of)
  return `${median(items, of).toFixed(2)} (${Math.min(...all).toFixed(2)}–${Math.max(...all).toFixed(2)})`
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

/** The times of the pages while 32 callers keep VGG-16 busy on all cores without a pause: `npm run bench -- pages`. */
import { existsSync, mkdirSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeSyntheticH5 } from '../test/support/synthetic-h5.ts'
import { photograph } from './callers.ts'
import { send, startService } from './http.ts'
import { machine, percentile, table } from './statistics.ts'

const CALLERS = 32
const MEASURE_MS = Number(process.argv[3] ?? 30_000)
// The pause between an answer and the next request, as with several users who look often.
const PAUSE_MS = 20
const STATUS_EVERY_MS = 1000
const PAGES = ['/vgg', '/', '/status', '/docs', '/healthz']

const folder = join(tmpdir(), 'tandem-bench')
const weights = join(folder, 'vgg16.h5')
mkdirSync(folder, { recursive: true })
if (!existsSync(weights)) await writeSyntheticH5('vgg16', weights)

const service = await startService({
  MODELS: `vgg16=${weights}`,
  WEIGHTS_DIR: join(folder, 'cache-vgg16'),
  DEVICE: 'cpu',
  CACHE_ENTRIES: '0',
})
const agent = new Agent({ keepAlive: true, maxSockets: CALLERS + PAGES.length + 2 })
const photo = await photograph()
await service.seen('model state', { state: 'ready' })
await send(`${service.url}/vgg`, agent, photo, 'image/jpeg')
for (const page of PAGES) await send(service.url + page, agent)

const end = performance.now() + MEASURE_MS
let predictions = 0
const gaps: number[] = []
const times = new Map(PAGES.map((page) => [page, [] as number[]]))
await Promise.all([watch(), ...PAGES.map(look), ...Array.from({ length: CALLERS }, call)])
agent.destroy()
await service.stop()

console.log(`${machine()}\n`)
const rows = [...times].map(([page, its]) => [
  `GET ${page}`,
  String(its.length),
  `${percentile(its, 0.5).toFixed(1)} ms`,
  `${percentile(its, 0.99).toFixed(1)} ms`,
])
const perSecond = (predictions / (MEASURE_MS / 1000)).toFixed(1)
console.log(table([`${CALLERS} callers, VGG-16 at ${perSecond} images/s`, 'asked', 'p50', 'p99'], rows))
const longest = Math.max(...gaps)
console.log(`\nSamples of /status: ${gaps.length + 1}, the longest gap between two ${longest.toFixed(0)} ms`)

async function call(): Promise<void> {
  while (performance.now() < end) {
    await send(`${service.url}/vgg`, agent, photo, 'image/jpeg')
    predictions++
  }
}

async function look(page: string): Promise<void> {
  while (performance.now() < end) {
    const start = performance.now()
    await send(service.url + page, agent)
    times.get(page)?.push(performance.now() - start)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

/** Reads the increments of /status, as the page does. */
async function watch(): Promise<void> {
  let last = 0
  while (performance.now() < end) {
    const headers = { Accept: 'application/json' }
    const answer = await fetch(`${service.url}/status?since=${last}`, { headers })
    const { samples } = (await answer.json()) as { samples: { t: number[] } }
    for (const time of samples.t) {
      if (last > 0) gaps.push(time - last)
      last = time
    }
    await new Promise((resolve) => setTimeout(resolve, STATUS_EVERY_MS))
  }
}

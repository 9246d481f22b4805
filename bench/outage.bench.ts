/**
 * The memory of a web host while RabbitMQ is away, and clients go on asking: `npm run bench -- outage --minutes 10`. Needs
 * RabbitMQ, which is started beside any other one, with data of its own.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { closeLeftovers } from '../test/support/leftovers.ts'
import { HAS_RABBITMQ, startRabbitMq } from '../test/support/rabbitmq.ts'
import { startService } from './http.ts'
import { machine, percentile, table } from './statistics.ts'

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { minutes: { type: 'string', default: '10' }, rows: { type: 'string', default: '10' } },
})
interface Row {
  /** the least of the row */
  readonly megabytes: number
  readonly cells: string[]
}

const BYTES = Buffer.alloc(25_000, 7)
const CLIENTS = 8
const PAUSE_MS = 20
// The heap of a new process grows for a while, and so does what its allocator keeps.
const WARM_UP_MS = 15_000
/** Bodies that wait for the garbage collector raise the memory in between; what they leave behind, a leak would raise. */
const SAMPLE_MS = 200
const rowMs = (Number(values.minutes) * 60_000) / Number(values.rows)

if (!(rowMs >= 1000) || !Number.isInteger(Number(values.rows))) {
  console.error('--minutes and --rows must be numbers, with at least a second for each row.')
  process.exit(2)
}
if (!HAS_RABBITMQ) {
  console.error('RabbitMQ is not installed: apt-get install rabbitmq-server')
  process.exit(3)
}
const rabbit = await startRabbitMq()
// A call that was made before the web host refuses new ones ends within the warm-up.
const settings = { AMQP_URL: rabbit.url, MODELS: 'digits', RATE_LIMIT: '0', DEADLINE_MS: '4000' }
const web = await startService({ ...settings, ROLE: 'web' })
const model = await startService({ ...settings, ROLE: 'model' })
await web.seen('model state', { state: 'ready' })
let ends = new Map<string, number>()
let pages: number[] = []
let isOver = false
const clients = Promise.all([...Array.from({ length: CLIENTS }, client), pageReader()])
await rabbit.kill()
await delay(WARM_UP_MS)
const rows: Row[] = []
for (let row = 0; row < Number(values.rows); row++) rows.push(await measure())
isOver = true
await clients
await rabbit.start()
await until(async () => (await ask()) !== 'ERR_NOT_READY')
const back = await ask()
console.log(
  `${machine()}\n${CLIENTS} clients with bodies of ${BYTES.byteLength / 1000} KB, RabbitMQ is away\n`,
)
const head = ['seconds', 'least memory MB', 'refused', 'other ends', 'page p50 ms', 'page p99 ms']
console.log(
  table(
    head,
    rows.map(({ cells }) => cells),
  ),
)
const half = Math.floor(rows.length / 2)
const most = (part: typeof rows) => Math.max(...part.map(({ megabytes }) => megabytes))
const [first, second] = [rows.slice(0, half), rows.slice(half)].map((part) => most(part).toFixed(1))
console.log(
  `\nThe least memory of a row is at most ${first} MB in the first half, and ${second} MB in the second half.`,
)
console.log(`After RabbitMQ is back, a model host answers ${back} to the same bytes, which are no picture.`)
await Promise.all([web.stop(), model.stop()])
await closeLeftovers()

async function measure(): Promise<Row> {
  ends = new Map()
  pages = []
  let least = Number.POSITIVE_INFINITY
  for (const end = performance.now() + rowMs; performance.now() < end; ) {
    await delay(SAMPLE_MS)
    least = Math.min(least, residentBytes(web.pid))
  }
  const megabytes = least / 1e6
  const refused = ends.get('ERR_NOT_READY') ?? 0
  const others = [...ends].filter(([code]) => code !== 'ERR_NOT_READY').map(([code, n]) => `${code} ${n}`)
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(pages, share).toFixed(1))
  const seconds = String(Math.round((WARM_UP_MS + (rows.length + 1) * rowMs) / 1000))
  return {
    megabytes,
    cells: [seconds, megabytes.toFixed(1), String(refused), others.join(', '), p50 ?? '', p99 ?? ''],
  }
}

async function client(): Promise<void> {
  while (!isOver) {
    const code = await ask()
    ends.set(code, (ends.get(code) ?? 0) + 1)
    await delay(PAUSE_MS)
  }
}

/** The code of the error, or `answered`. The bytes are no picture: a model host that gets them says so. */
async function ask(): Promise<string> {
  const answer = await fetch(`${web.url}/digits`, { method: 'POST', body: BYTES })
  await answer.arrayBuffer()
  return answer.headers.get('x-error-code') ?? 'answered'
}

async function pageReader(): Promise<void> {
  while (!isOver) {
    const start = performance.now()
    await (await fetch(`${web.url}/digits`, { headers: { accept: 'text/html' } })).text()
    pages.push(performance.now() - start)
    await delay(PAUSE_MS * 5)
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(100)
}

function residentBytes(pid: number): number {
  const [, kilobytes = ''] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

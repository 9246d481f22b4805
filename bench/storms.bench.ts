/**
 * What callers notice when children are killed again and again: `npm run bench -- storms --seconds 60`. A storm kills one
 * of the children that serve, chosen by chance, every so many milliseconds.
 */
import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { smoothImage } from '../test/support/synthetic.ts'
import { type BenchService, send, startService } from './http.ts'
import { machine, percentile, table } from './statistics.ts'
import { prepared } from './synthetic-model.ts'

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    seconds: { type: 'string', default: '60' },
    model: { type: 'string', default: 'mobilenet' },
    spares: { type: 'string', default: 'auto' },
    every: { type: 'string', default: '300,1200,2500' },
    workers: { type: 'string', default: '1,2,4' },
  },
})
const { model, spares } = values
const STORM_MS = Number(values.seconds) * 1000
const CALLERS = 32
const PICTURES = 34
const DEADLINE_MS = 60_000
// A call without an answer for so long after its deadline counts as hung.
const HUNG_AFTER_MS = DEADLINE_MS + 10_000
// Rounding differs with the size of the batch.
const TOLERANCE = 1e-4

interface Guess {
  readonly label: string
  readonly probability: number
}

interface Tally {
  readonly times: number[]
  wrong: number
  hung: number
  readonly failures: Map<string, number>
}

const pictures = await Promise.all(Array.from({ length: PICTURES }, (_, i) => picture(i)))
const settings = model === 'digits' ? { MODELS: model, CACHE_ENTRIES: '0' } : (await prepared(model)).settings
console.log(
  `${machine()}\n${model}, SPARE_CHILDREN=${spares}, ${CALLERS} callers with ${PICTURES} pictures, ` +
    `a deadline of ${DEADLINE_MS / 1000} s, ${values.seconds} s for each row\n`,
)
const rows = []
for (const workers of values.workers.split(',')) {
  for (const every of values.every.split(',').map(Number)) rows.push(await storm(workers, every))
}
const head = ['WORKERS', 'a kill every', 'answered', 'wrong', 'failed', 'hung', 'p50 ms', 'p99 ms']
console.log(table([...head, 'children ended', 'takeovers'], rows))

async function storm(workers: string, everyMs: number): Promise<string[]> {
  const service = await startService({
    ...settings,
    DEVICE: 'cpu',
    WORKERS: workers,
    SPARE_CHILDREN: spares,
    DEADLINE_MS: String(DEADLINE_MS),
  })
  await service.seen('model state', { state: 'ready' })
  const agent = new Agent({ keepAlive: true })
  const right: Guess[][] = []
  for (const one of pictures) right.push(await predict(service, agent, one))
  const tally: Tally = { times: [], wrong: 0, hung: 0, failures: new Map() }
  const end = performance.now() + STORM_MS
  let next = 0
  const caller = async () => {
    while (performance.now() < end) {
      const at = next++ % PICTURES
      await count(tally, () => predict(service, agent, pictures[at] ?? Buffer.of()), right[at] ?? [])
    }
  }
  const killing = killEvery(everyMs, service, end)
  await Promise.all(Array.from({ length: CALLERS }, caller))
  await killing
  agent.destroy()
  const [ended, takeovers] = [service.ended(), service.logged('spare child took over')]
  await service.stop()
  const failed = [...tally.failures].map(([code, times]) => `${times} × ${code}`).join(', ') || '0'
  const times = [percentile(tally.times, 0.5), percentile(tally.times, 0.99)].map((ms) => ms.toFixed(0))
  const answered = String(tally.times.length)
  const counts = [answered, String(tally.wrong), failed, String(tally.hung), ...times]
  return [workers, `${everyMs} ms`, ...counts, String(ended), String(takeovers)]
}

async function count(tally: Tally, ask: () => Promise<Guess[]>, right: readonly Guess[]): Promise<void> {
  const start = performance.now()
  const late = new AbortController()
  try {
    const hung = delay(HUNG_AFTER_MS, undefined, { signal: late.signal })
    const guesses = await Promise.race([ask(), hung])
    if (guesses === undefined) {
      tally.hung++
      return
    }
    tally.times.push(performance.now() - start)
    if (!isSame(guesses, right)) tally.wrong++
  } catch (error) {
    const code = /ERR_\w+|E[A-Z]{4,}/.exec(String(error))?.[0] ?? String(error)
    tally.failures.set(code, (tally.failures.get(code) ?? 0) + 1)
    // A refusal comes at once; without a pause, the callers would only count refusals.
    await delay(100)
  } finally {
    late.abort()
  }
}

/** A guess may miss where another one is as probable. */
function isSame(guesses: readonly Guess[], right: readonly Guess[]): boolean {
  const least = Math.min(...guesses.map(({ probability }) => probability))
  return right.every(({ label, probability }) => {
    const found = guesses.find((guess) => guess.label === label)?.probability ?? least
    return Math.abs(found - probability) <= TOLERANCE
  })
}

async function killEvery(everyMs: number, service: BenchService, end: number): Promise<void> {
  for (let due = performance.now() + everyMs; due < end; due += everyMs) {
    await delay(due - performance.now())
    const pids = await servingPids(service)
    const pid = pids[Math.floor(Math.random() * pids.length)]
    try {
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
    } catch {
      // It has died since.
    }
  }
}

/** Also those that still start. */
async function servingPids({ url }: BenchService): Promise<number[]> {
  const answer = await fetch(`${url}/status?since=${Date.now()}`, { headers: { Accept: 'application/json' } })
  const { models } = (await answer.json()) as {
    models: { workers: { pid: number | null }[] }[]
  }
  return models.flatMap(({ workers }) => workers.flatMap(({ pid }) => pid ?? []))
}

async function predict({ url }: BenchService, agent: Agent, body: Buffer): Promise<Guess[]> {
  const answer = JSON.parse(await send(`${url}/${model}`, agent, body, 'image/jpeg')) as {
    predictions: Guess[]
  }
  return answer.predictions
}

/** A colour, a rotation and a size of its own. */
function picture(i: number): Promise<Buffer> {
  const [width, height] = [400 + 5 * i, 300 + 3 * i]
  return sharp(smoothImage(height, width), { raw: { width, height, channels: 3 } })
    .modulate({ hue: i * 10, brightness: 0.6 + i / PICTURES })
    .rotate(90 * (i % 4))
    .jpeg({ quality: 90 })
    .toBuffer()
}

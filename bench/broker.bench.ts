/** The cost of a call through the Broker, compared with a bare `fork` with the same serialization, and with piscina. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { Broker } from '../broker/broker.ts'
import { measureResponsiveness } from './responsiveness.ts'
import { machine, percentile, table } from './statistics.ts'

interface Contestant {
  name: string
  call(input: unknown): Promise<unknown>
  close(): Promise<unknown>
}

const ROUNDS = 8
const CALLERS = 32
const INPUTS = [
  { name: 'no-op', inputs: [0], calls: 4000 },
  { name: '100 KB', inputs: buffers(100_000), calls: 1600 },
  { name: '1 MB', inputs: buffers(1_000_000), calls: 320 },
]

const contestants = [await bareFork(), await throughBroker(), await piscina()]
const rows: string[][] = []
for (const { name, inputs, calls } of INPUTS) {
  const latencies = contestants.map(() => [] as number[])
  const rates = contestants.map(() => [] as number[])
  // The contestants take turns, so that other load on the machine affects all of them.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const roundTrips = await oneByOne(contestant, inputs, Math.ceil(calls / ROUNDS))
      const rate = await together(contestant, inputs, Math.ceil((calls * 3) / ROUNDS))
      if (round === 0) continue // warm-up
      latencies[i]?.push(...roundTrips)
      rates[i]?.push(rate)
    }
  }
  const bare = { p50: percentile(latencies[0] ?? [], 0.5), rate: percentile(rates[0] ?? [], 0.5) }
  for (const [i, contestant] of contestants.entries()) {
    const p50 = percentile(latencies[i] ?? [], 0.5)
    const rate = percentile(rates[i] ?? [], 0.5)
    rows.push([
      name,
      contestant.name,
      `${p50.toFixed(3)} ms`,
      `${percentile(latencies[i] ?? [], 0.99).toFixed(3)} ms`,
      `${(p50 / bare.p50).toFixed(2)}×, ${p50 < bare.p50 ? '−' : '+'}${Math.abs(p50 - bare.p50).toFixed(3)} ms`,
      `${Math.round(rate)}/s`,
      `${(rate / bare.rate).toFixed(2)}×`,
    ])
  }
}
await Promise.all(contestants.map((contestant) => contestant.close()))

console.log(`${machine()}\n`)
console.log(
  table(['input', 'through', 'p50', 'p99', 'p50 against bare', `${CALLERS} callers`, 'against bare'], rows),
)
console.log(`\n${await measureResponsiveness()}`)

/** A buffer for each caller: a buffer that occurs twice in one message would be sent only once. */
function buffers(bytes: number): Buffer[] {
  return Array.from({ length: CALLERS }, (_, i) => Buffer.alloc(bytes, i))
}

async function oneByOne(
  contestant: Contestant,
  inputs: readonly unknown[],
  calls: number,
): Promise<number[]> {
  const times = []
  for (let i = 0; i < calls; i++) {
    const start = performance.now()
    await contestant.call(inputs[i % inputs.length])
    times.push(performance.now() - start)
  }
  return times
}

/** Calls per second of CALLERS callers, each of which calls again as soon as it has an answer. */
async function together(contestant: Contestant, inputs: readonly unknown[], calls: number): Promise<number> {
  let left = calls
  const start = performance.now()
  const caller = async (name: number) => {
    while (left-- > 0) await contestant.call(inputs[name % inputs.length])
  }
  await Promise.all(Array.from({ length: CALLERS }, (_, name) => caller(name)))
  return (calls / (performance.now() - start)) * 1000
}

async function bareFork(): Promise<Contestant> {
  const child = fork(new URL('./peers/echo-child.ts', import.meta.url), { serialization: 'advanced' })
  const waiting = new Map<number, (value: unknown) => void>()
  let next = 0
  child.on('message', ({ key, value }: { key: number; value: unknown }) => {
    waiting.get(key)?.(value)
    waiting.delete(key)
  })
  const call = (value: unknown) =>
    new Promise((resolve) => {
      const key = next++
      waiting.set(key, resolve)
      child.send({ key, value })
    })
  await call(0)
  return { name: 'bare fork', call, close: async () => child.disconnect() }
}

async function throughBroker(): Promise<Contestant> {
  const broker = new Broker({ pipeline: new URL('./peers/echo-pipeline.ts', import.meta.url) })
  await broker.start()
  return { name: 'Broker', call: (input) => broker.call('predict', input), close: () => broker.close() }
}

async function piscina(): Promise<Contestant> {
  const filename = fileURLToPath(new URL('./peers/echo-thread.mjs', import.meta.url))
  const pool = new Piscina({ filename, name: 'echo', maxThreads: 1, minThreads: 1 })
  await pool.run(0)
  return { name: 'piscina', call: (input) => pool.run(input), close: () => pool.close() }
}

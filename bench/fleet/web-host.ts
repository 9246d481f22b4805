import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { until } from '../../test/support/broker.ts'
import type { RabbitMq } from '../../test/support/rabbitmq.ts'
import { type BenchService, send, startService } from '../http.ts'
import type { CallersOrder, CallersWord } from '../peers/http-callers.ts'
import { percentile } from '../statistics.ts'
import type { Plan } from './arguments.ts'
import { MAX_QUEUE } from './bench-fleet.ts'
import { cpuSeconds, waitedSeconds } from './cpu-time.ts'
import { type Faults, faultsOf } from './faults.ts'
import { HostProcesses } from './host-processes.ts'

export interface WebHostFigures extends Faults {
  readonly callers: number
  readonly pending: number
  readonly perSecond: number
  /** CPU seconds per second, before pages are asked for */
  readonly webCores: number
  readonly rssMib: number
  readonly pages: readonly PageRow[]
  /** while pages were asked for: the event loop's delay at p99, and the share of the time that its thread waited for a core */
  readonly loopMs: number
  readonly waitedShare: number
}

export interface PageRow {
  readonly page: string
  readonly asked: number
  readonly p50: number
  readonly p99: number
}

const HOSTS = 4
const PIPELINE = 'simulated'
const PAGES = ['/', `/${PIPELINE}`, '/status', '/docs', '/healthz', '/readyz']
/** Between an answer and the next request, as with several users who look often. */
const PAUSE_MS = 100
/** A web host accepts connections one after the other; all callers at once would measure the arrival alone. */
const RAMP_MS_PER_CALLER = 2

/** The times of pages of a web host while many callers wait for answers, each on a connection of its own. */
export async function measureWebHost(rabbit: RabbitMq, plan: Plan): Promise<WebHostFigures> {
  const hosts = new HostProcesses({
    url: rabbit.url,
    pipeline: PIPELINE,
    maxQueue: MAX_QUEUE,
    msPerInput: plan.msPerImage,
  })
  await hosts.growTo(HOSTS, () => true)
  const most = String(2 * plan.callers + 100)
  const service = await startService({
    ROLE: 'web',
    AMQP_URL: rabbit.url,
    MODELS: PIPELINE,
    PIPELINE: fileURLToPath(new URL('../peers/wait-pipeline.ts', import.meta.url)),
    MAX_QUEUE: String(MAX_QUEUE),
    MAX_CONNECTIONS: most,
    MAX_CONNECTIONS_PER_IP: most,
    CACHE_ENTRIES: '0',
  })
  await service.seen('model state', { state: 'ready' })
  const order: CallersOrder = {
    url: `${service.url}/${PIPELINE}`,
    count: plan.callers,
    bytes: plan.bytes,
    rampMs: plan.callers * RAMP_MS_PER_CALLER,
  }
  const callers = fork(new URL('../peers/http-callers.ts', import.meta.url), [JSON.stringify(order)])
  await word(callers)
  const agent = new Agent({ keepAlive: true, maxSockets: PAGES.length + 1 })
  const pending = await untilUnderway(service, agent, plan.callers)
  const [from, cpuBefore, answeredBefore] = [
    performance.now(),
    cpuSeconds([service.pid]),
    await hosts.answered(),
  ]
  await delay(plan.seconds * 500)
  const seconds = (performance.now() - from) / 1000
  const perSecond = ((await hosts.answered()) - answeredBefore) / seconds
  const webCores = (cpuSeconds([service.pid]) - cpuBefore) / seconds
  const rssMib = (await metric(service, agent, 'process_resident_memory_bytes')) / 2 ** 20
  await loopDelay(service, agent)
  const waitedBefore = waitedSeconds(service.pid)
  const pages = await askPages(service.url, agent, plan.seconds * 1000)
  const waitedShare = (waitedSeconds(service.pid) - waitedBefore) / plan.seconds
  const loopMs = (await loopDelay(service, agent)) * 1000
  const ended = word(callers)
  callers.send('end')
  const tally = await ended
  const computed = await hosts.answered()
  agent.destroy()
  await service.stop()
  await hosts.stop()
  const web = { perSecond, webCores, rssMib, pages, loopMs, waitedShare }
  return { callers: plan.callers, pending, ...web, ...faultsOf(tally, computed) }
}

async function word(callers: ChildProcess): Promise<CallersWord> {
  const [said] = await Promise.race([once(callers, 'message'), once(callers, 'exit')])
  if (typeof said !== 'object' || said === null) throw new Error('The callers have ended early.')
  return said as CallersWord
}

/** The callers are under way when most of them wait at the same time. */
async function untilUnderway(service: BenchService, agent: Agent, callers: number): Promise<number> {
  let pending = 0
  await until(
    async () => {
      const names = ['tandem_queue_calls', 'tandem_in_flight']
      const figures = await Promise.all(names.map((name) => metric(service, agent, name)))
      pending = figures.reduce((sum, figure) => sum + figure, 0)
      return pending >= 0.9 * callers
    },
    60_000,
    `${callers} callers are under way`,
    500,
  )
  return pending
}

/** Since the last question. */
function loopDelay(service: BenchService, agent: Agent): Promise<number> {
  return metric(service, agent, 'tandem_event_loop_delay_seconds', '{quantile="0.99"}')
}

async function metric({ url }: BenchService, agent: Agent, name: string, labels = ''): Promise<number> {
  const text = await send(`${url}/metrics`, agent)
  return Number(new RegExp(`^${name}${labels || '(?:\\{[^}]*\\})?'} (\\S+)`, 'm').exec(text)?.[1])
}

/** The last row is for all pages together. */
async function askPages(url: string, agent: Agent, forMs: number): Promise<PageRow[]> {
  const end = performance.now() + forMs
  const all = PAGES.map(async (page) => {
    const times: number[] = []
    while (performance.now() < end) {
      const start = performance.now()
      await send(url + page, agent)
      times.push(performance.now() - start)
      await delay(PAUSE_MS)
    }
    return { page, times }
  })
  const rows = await Promise.all(all)
  const together = { page: 'all of them', times: rows.flatMap(({ times }) => times) }
  return [...rows, together].map(({ page, times }) => ({
    page,
    asked: times.length,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
  }))
}

import { setTimeout as delay } from 'node:timers/promises'
import type { RabbitMq } from '../../test/support/rabbitmq.ts'
import { percentile } from '../statistics.ts'
import type { Plan } from './arguments.ts'
import { startFleet } from './bench-fleet.ts'
import { cpuSeconds } from './cpu-time.ts'
import { type Faults, faultsOf } from './faults.ts'
import { Questions } from './questions.ts'

export interface ThroughputRow extends Faults {
  readonly hosts: number
  readonly perSecond: number
  /** of N times one host */
  readonly part: number
  readonly p50: number
  readonly p99: number
  readonly megabytes: number
  /** CPU seconds per second */
  readonly cores: { readonly rabbit: number; readonly web: number; readonly host: number }
}

/** As many as a host holds, and as many again that wait: a host never runs dry. */
const CALLERS_PER_HOST = 32
const WARM_UP_MS = 1500

export async function measureThroughput(rabbit: RabbitMq, plan: Plan): Promise<ThroughputRow[]> {
  const fleet = await startFleet(rabbit, 'throughput', 1, plan.msPerImage)
  const rows: ThroughputRow[] = []
  for (const count of plan.hosts) {
    await fleet.growTo(count)
    const questions = new Questions(plan.bytes, (input) => fleet.broker.call('predict', input))
    const ending = new AbortController()
    const computedBefore = await fleet.hosts.answered()
    const asking = questions.askUntil(ending.signal, count * CALLERS_PER_HOST)
    await delay(WARM_UP_MS)
    const cpuOf = () => ({
      rabbit: cpuSeconds([rabbit.pid]),
      web: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
      host: cpuSeconds(fleet.hosts.pids) / count,
    })
    const [from, before] = [performance.now(), cpuOf()]
    await delay(plan.seconds * 1000)
    const [to, after] = [performance.now(), cpuOf()]
    ending.abort()
    await asking
    const seconds = (to - from) / 1000
    const answered = questions.answered.filter(({ answeredAt }) => answeredAt >= from && answeredAt < to)
    const times = answered.map(({ askedAt, answeredAt }) => answeredAt - askedAt)
    const perSecond = answered.length / seconds
    rows.push({
      hosts: count,
      perSecond,
      part: perSecond / (count * (rows[0]?.perSecond ?? perSecond)),
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      megabytes: (perSecond * plan.bytes) / 1e6,
      cores: {
        rabbit: (after.rabbit - before.rabbit) / seconds,
        web: (after.web - before.web) / seconds,
        host: (after.host - before.host) / seconds,
      },
      ...faultsOf(questions.tally(), (await fleet.hosts.answered()) - computedBefore),
    })
  }
  await fleet.close()
  return rows
}

import { setTimeout as delay } from 'node:timers/promises'
import type { RabbitMq } from '../../test/support/rabbitmq.ts'
import type { Plan } from './arguments.ts'
import { startFleet } from './bench-fleet.ts'
import { cpuSeconds } from './cpu-time.ts'
import { type Faults, faultsOf } from './faults.ts'
import { Questions } from './questions.ts'

export interface SaturationRow extends Faults {
  readonly bytes: number
  readonly callsPerSecond: number
  /** two for each call: the call and its reply */
  readonly messagesPerSecond: number
  readonly megabytes: number
  /** CPU seconds of RabbitMQ per second */
  readonly rabbitCores: number
  /** what one core of RabbitMQ carries: calls per CPU second */
  readonly callsPerCore: number
}

const SIZES = [1000, 25_000, 100_000, 400_000]
const CALLERS = 128
const WARM_UP_MS = 1500

/** Two hosts that answer at once, and as many calls as this machine can make. */
export async function measureSaturation(rabbit: RabbitMq, { seconds }: Plan): Promise<SaturationRow[]> {
  const fleet = await startFleet(rabbit, 'saturation', 2, 'instant')
  const rows: SaturationRow[] = []
  for (const bytes of SIZES) {
    const questions = new Questions(
      bytes,
      (input) => fleet.broker.call('predict', input),
      (input) => input.readUInt32LE(),
    )
    const ending = new AbortController()
    const computedBefore = await fleet.hosts.answered()
    const asking = questions.askUntil(ending.signal, CALLERS)
    await delay(WARM_UP_MS)
    const [from, cpuBefore] = [performance.now(), cpuSeconds([rabbit.pid])]
    await delay(seconds * 1000)
    const [to, cpuAfter] = [performance.now(), cpuSeconds([rabbit.pid])]
    ending.abort()
    await asking
    const answered = questions.answered.filter(({ answeredAt }) => answeredAt >= from && answeredAt < to)
    const callsPerSecond = (answered.length * 1000) / (to - from)
    const rabbitCores = ((cpuAfter - cpuBefore) * 1000) / (to - from)
    rows.push({
      bytes,
      callsPerSecond,
      messagesPerSecond: 2 * callsPerSecond,
      megabytes: (callsPerSecond * bytes) / 1e6,
      rabbitCores,
      callsPerCore: callsPerSecond / rabbitCores,
      ...faultsOf(questions.tally(), (await fleet.hosts.answered()) - computedBefore),
    })
  }
  await fleet.close()
  return rows
}

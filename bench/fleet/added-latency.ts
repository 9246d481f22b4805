import { Broker } from '../../broker/broker.ts'
import type { RabbitMq } from '../../test/support/rabbitmq.ts'
import { percentile } from '../statistics.ts'
import type { Plan } from './arguments.ts'
import { startFleet } from './bench-fleet.ts'
import { type Faults, faultsOf, sumOf } from './faults.ts'
import { Questions } from './questions.ts'

export interface LatencyRow {
  readonly through: string
  readonly calls: number
  readonly p50: number
  readonly p99: number
}

export interface AddedLatency extends Faults {
  readonly rows: readonly LatencyRow[]
  /** milliseconds at p50 */
  readonly added: number
}

/** The two take turns, so that other load on the machine affects both. */
const ROUNDS = 10

/** One caller, and a pipeline that answers at once: what remains is the way. */
export async function measureAddedLatency(rabbit: RabbitMq, plan: Plan): Promise<AddedLatency> {
  const pipeline = new URL('../peers/wait-pipeline.ts', import.meta.url)
  const broker = new Broker({ pipeline, options: { msPerInput: 0 } })
  await broker.start()
  const fleet = await startFleet(rabbit, 'latency', 1, 0)
  const local = new Questions(plan.bytes, (input) => broker.call('predict', input))
  const remote = new Questions(plan.bytes, (input) => fleet.broker.call('predict', input))
  const roundMs = (plan.seconds * 1000) / ROUNDS
  const turns = async () => {
    for (const questions of [local, remote]) {
      const end = performance.now() + roundMs
      while (performance.now() < end) await questions.ask()
    }
  }
  await turns()
  const warmUp = [local.answered.length, remote.answered.length]
  for (let round = 0; round < ROUNDS; round++) await turns()
  const rows = [local, remote].map(({ answered }, i) => {
    const times = answered.slice(warmUp[i]).map(({ askedAt, answeredAt }) => answeredAt - askedAt)
    const through = i === 0 ? 'Broker' : 'FleetBroker, RabbitMQ, ModelHost, Broker'
    return { through, calls: times.length, p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
  })
  const faults = sumOf([faultsOf(local.tally()), faultsOf(remote.tally(), await fleet.hosts.answered())])
  await fleet.close()
  await broker.close()
  return { rows, added: (rows[1]?.p50 ?? Number.NaN) - (rows[0]?.p50 ?? Number.NaN), ...faults }
}

import { setTimeout as delay } from 'node:timers/promises'
import type { RabbitMq } from '../../test/support/rabbitmq.ts'
import type { Plan } from './arguments.ts'
import { startFleet } from './bench-fleet.ts'
import { type Faults, faultsOf } from './faults.ts'
import { type Answered, Questions } from './questions.ts'

export interface Failover extends Faults {
  readonly kills: readonly Kill[]
}

export interface Kill {
  /** calls without an answer in the moment of the kill */
  readonly underway: number
  /** milliseconds from the kill to the answer of the last of these calls */
  readonly untilAnswered: number
  /** the longest time without any answer after the kill */
  readonly silence: number
}

const HOSTS = 2
const CALLERS_PER_HOST = 16
const STEADY_MS = 1500
/** Far longer than any failover. */
const LOOK_FOR_MS = 4000

/** Kills the older of two hosts under load, again and again; a new host takes its place. */
export async function measureFailover(rabbit: RabbitMq, plan: Plan): Promise<Failover> {
  const fleet = await startFleet(rabbit, 'failover', HOSTS, plan.msPerImage)
  const questions = new Questions(plan.bytes, (input) => fleet.broker.call('predict', input))
  const ending = new AbortController()
  const asking = questions.askUntil(ending.signal, HOSTS * CALLERS_PER_HOST)
  const killedAt: number[] = []
  for (let kill = 0; kill < plan.kills; kill++) {
    await fleet.growTo(HOSTS)
    await delay(STEADY_MS)
    fleet.hosts.kill()
    killedAt.push(performance.now())
    await delay(LOOK_FOR_MS)
  }
  ending.abort()
  await asking
  await fleet.close()
  return { kills: killedAt.map((at) => judge(at, questions.answered)), ...faultsOf(questions.tally()) }
}

function judge(killedAt: number, answered: readonly Answered[]): Kill {
  const underway = answered.filter((one) => one.askedAt < killedAt && one.answeredAt >= killedAt)
  const ends = answered
    .map(({ answeredAt }) => answeredAt)
    .filter((end) => end >= killedAt && end < killedAt + LOOK_FOR_MS)
    .sort((a, b) => a - b)
  const gaps = ends.map((end, i) => end - (ends[i - 1] ?? killedAt))
  return {
    underway: underway.length,
    untilAnswered: Math.max(...underway.map(({ answeredAt }) => answeredAt - killedAt)),
    silence: Math.max(...gaps),
  }
}

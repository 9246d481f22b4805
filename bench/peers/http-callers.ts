/** Callers of a web host in a process of their own, so that the bench measures the web host and not its clients. */
import { Agent } from 'node:http'
import { setPriority } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { Questions } from '../fleet/questions.ts'
import { send } from '../http.ts'

export interface CallersOrder {
  readonly url: string
  readonly count: number
  readonly bytes: number
  /** the callers come one after the other within this time */
  readonly rampMs: number
}

export interface CallersWord {
  readonly kind: 'underway' | 'ended'
  readonly asked: number
  readonly right: number
  readonly wrong: number
  readonly failures: Readonly<Record<string, number>>
}

/** the lowest priority */
const LOW = 19

const { url, count, bytes, rampMs } = JSON.parse(process.argv[2] ?? '') as CallersOrder
// Callers are on other machines; here, they must not take the CPU from the web host.
setPriority(LOW)
const agent = new Agent({ keepAlive: true, maxSockets: count })
const questions = new Questions(bytes, async (body) => {
  const { prediction } = JSON.parse(await send(url, agent, body)) as { prediction: unknown }
  return prediction
})
let isEnding = false
const say = (kind: CallersWord['kind']) => process.send?.({ kind, ...questions.tally() })
process.once('message', () => {
  isEnding = true
})
process.once('disconnect', () => process.exit(1))
const callers = Array.from({ length: count }, async (_, i) => {
  await delay((rampMs * i) / count)
  while (!isEnding) await questions.ask()
})
await delay(rampMs)
say('underway')
await Promise.all(callers)
say('ended')
agent.destroy()
process.disconnect()

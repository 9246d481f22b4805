/** A model host in a process of its own. The one argument is the order as JSON. */
import { setPriority } from 'node:os'
import { Broker } from '../../broker/broker.ts'
import { ModelHost } from '../../fleet/model-host.ts'
import { InstantCalls } from './instant-calls.ts'

export interface HostOrder {
  readonly url: string
  readonly name: string
  readonly pipeline: string
  readonly maxQueue: number
  /** 'instant': answers in the process of the host, without a child, as fast as the host can carry calls */
  readonly msPerInput: number | 'instant'
}

export interface HostWord {
  readonly kind: 'up' | 'answered'
  readonly answered: number
}

/** the lowest priority */
const LOW = 19

// Model hosts are on other machines; here, they must not take the CPU from callers and web hosts.
setPriority(LOW)
const { msPerInput, pipeline, ...options } = JSON.parse(process.argv[2] ?? '') as HostOrder
const calls =
  msPerInput === 'instant'
    ? new InstantCalls()
    : new Broker({ pipeline: new URL('./wait-pipeline.ts', import.meta.url), options: { msPerInput } })
await calls.start()
const host = new ModelHost({ ...options, pipelines: { [pipeline]: calls } })
const say = (kind: HostWord['kind']) => process.send?.({ kind, answered: host.stats().answered })
host.once('up', () => say('up'))
process.on('message', () => say('answered'))
process.once('SIGTERM', async () => {
  await host.close()
  await calls.close()
  process.exit(0)
})
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
host.start()

import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { Broker, type BrokerOptions } from '../../broker/broker.ts'
import { FleetBroker } from '../../fleet/fleet-broker.ts'
import { ModelHost, type ModelHostOptions } from '../../fleet/model-host.ts'
import type { FleetOptions } from '../../fleet/options.ts'
import { WebHost } from '../../fleet/web-host.ts'
import type { CallerScript } from '../fixtures/fleet/caller.ts'
import type { HostScript } from '../fixtures/fleet/host.ts'
import type { Order } from '../fixtures/pipelines/hashes.ts'
import { fixture, until } from './broker.ts'
import { closeAfterRun } from './leftovers.ts'
import { programArgs } from './program.ts'
import { HAS_RABBITMQ, type RabbitMq, sharedRabbitMq } from './rabbitmq.ts'

export interface Hashed {
  readonly sha256: string
  readonly version: string
  /** the number of calls in its batch */
  readonly size: number
}

/** A suite that needs RabbitMQ: one for all suites of a process. Skipped where RabbitMQ is not installed. */
export function describeFleet(
  title: string,
  suite: (this: Mocha.Suite, rabbit: () => RabbitMq) => void,
): void {
  const run = HAS_RABBITMQ ? describe : describe.skip
  run(title, function () {
    suite.call(this, sharedRabbitMq())
  })
}

const HASHES = fixture('hashes')

type Limits = Omit<BrokerOptions, 'pipeline' | 'options'>

/** Everything of one test, on queues of its own: RabbitMQ is shared by all tests. */
export class TestFleet {
  readonly #url: string
  /** the name of the pipeline, and so of its queue */
  readonly name: string
  readonly #open: { kill(): unknown }[] = []

  constructor(url: string, name: string) {
    this.#url = url
    this.name = name
  }

  web(options: Partial<FleetOptions> = {}): FleetBroker {
    const broker = new FleetBroker(new WebHost({ url: this.#url, ...options }), this.name)
    this.#open.push(broker)
    return broker
  }

  async startWeb(options: Partial<FleetOptions> = {}): Promise<FleetBroker> {
    const broker = this.web(options)
    await broker.start()
    return broker
  }

  /** A model host in this process, with children of its own. */
  async host(
    options: Partial<ModelHostOptions> = {},
    pipeline: Record<string, unknown> = {},
    limits: Limits = {},
  ): Promise<ModelHost> {
    const broker = new Broker({ pipeline: HASHES, options: pipeline, ...limits })
    this.#open.push(broker)
    await broker.start()
    const host = new ModelHost({ url: this.#url, pipelines: { [this.name]: broker }, ...options })
    this.#open.unshift(host)
    host.start()
    await once(host, 'up')
    return host
  }

  /** A model host in a process of its own. */
  async process(
    options: Partial<ModelHostOptions> = {},
    pipeline: Record<string, unknown> = {},
    limits: Limits = {},
    wrapper: readonly string[] = [],
  ): Promise<ChildProcess> {
    const script: HostScript = {
      host: { url: this.#url, ...options },
      pipelines: { [this.name]: { pipeline: HASHES.href, options: pipeline, ...limits } },
    }
    const child = this.#spawn('test/fixtures/fleet/host.ts', script, wrapper)
    const ended = once(child, 'exit').then(() =>
      Promise.reject(new Error('The model host ended at its start.')),
    )
    await Promise.race([once(child.stdout, 'data'), ended])
    ended.catch(() => {})
    return child
  }

  /** A caller in a process of its own, called `dying`, which makes this many calls at once. */
  caller(
    count: number,
    order: object,
    wrapper: readonly string[] = [],
  ): ChildProcessByStdio<null, Readable, null> {
    const script: CallerScript = { web: { url: this.#url, name: 'dying' }, pipeline: this.name, count, order }
    return this.#spawn('test/fixtures/fleet/caller.ts', script, wrapper)
  }

  /** `wrapper` is a program that runs the command behind its own arguments. */
  #spawn(
    program: string,
    script: object,
    wrapper: readonly string[],
  ): ChildProcessByStdio<null, Readable, null> {
    const [command = process.execPath, ...args] = [
      ...wrapper,
      process.execPath,
      ...programArgs(program),
      JSON.stringify(script),
    ]
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const unregister = closeAfterRun(() => child.kill('SIGKILL'))
    child.once('exit', unregister)
    this.#open.push({ kill: () => child.kill('SIGKILL') })
    return child
  }

  close(): void {
    for (const one of this.#open.splice(0)) one.kill()
  }
}

export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function order(text: string, more: Omit<Order, 'text'> = {}): Order {
  return { text, ...more }
}

/** Waits until the caller knows of this many ready hosts. */
export async function knowsHosts(broker: FleetBroker, count: number, withinMs = 10_000): Promise<void> {
  const ready = () => broker.stats().fleet?.hosts.filter(({ state }) => state === 'ready').length
  await until(() => ready() === count, withinMs, `${count} ready hosts, not ${ready()}`)
}

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { until } from '../../test/support/broker.ts'
import type { HostOrder, HostWord } from '../peers/fleet-host.ts'

export type { HostOrder } from '../peers/fleet-host.ts'

const PROGRAM = fileURLToPath(new URL('../peers/fleet-host.ts', import.meta.url))
const READY_WITHIN_MS = 60_000

/** Model hosts, each in a process of its own, with a child of its own. */
export class HostProcesses {
  readonly #order: Omit<HostOrder, 'name'>
  readonly #hosts: { readonly name: string; readonly process: ChildProcess }[] = []
  #next = 1

  constructor(order: Omit<HostOrder, 'name'>) {
    this.#order = order
  }

  get pids(): (number | undefined)[] {
    return this.#hosts.map((host) => host.process.pid)
  }

  /** Starts hosts until there are this many, and waits until `isKnown` says that callers know them all. */
  async growTo(count: number, isKnown: (names: readonly string[]) => boolean): Promise<void> {
    const started: Promise<void>[] = []
    while (this.#hosts.length < count) started.push(this.#start(`host-${this.#next++}`))
    await Promise.all(started)
    const names = this.#hosts.map(({ name }) => name)
    await until(() => isKnown(names), READY_WITHIN_MS, `${count} model hosts are known`)
  }

  /** The number of calls that these hosts have answered since their starts. */
  async answered(): Promise<number> {
    const words = await Promise.all(
      this.#hosts.map(async ({ process }) => {
        const word = once(process, 'message')
        process.send('answered')
        return ((await word) as [HostWord])[0].answered
      }),
    )
    return words.reduce((sum, answered) => sum + answered, 0)
  }

  /** Ends the oldest host without warning; its child ends with it. */
  kill(): void {
    this.#hosts.shift()?.process.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    const exits = this.#hosts.splice(0).map(async ({ process }) => {
      const exit = once(process, 'exit')
      process.kill('SIGTERM')
      await exit
    })
    await Promise.all(exits)
  }

  async #start(name: string): Promise<void> {
    const child = fork(PROGRAM, [JSON.stringify({ ...this.#order, name })])
    this.#hosts.push({ name, process: child })
    const [word] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [HostWord | number]
    if (typeof word !== 'object' || word?.kind !== 'up') throw new Error(`${name} has ended before it was up`)
  }
}

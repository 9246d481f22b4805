import { sleepUntil } from '../shared/sleep-until.ts'
import type { Child, ServiceProcess } from './service-process.ts'

export interface Kill {
  /** seconds since the begin of the test */
  readonly at: number
  readonly model: string
  readonly pids: readonly number[]
}

/** The shares of the mean time between two kills. */
const SHORTEST = 0.75
const LONGEST = 1.25

/**
 * Kills children with SIGKILL at random times. In the settling time, any child, and every second time all children of a
 * model at once. Afterwards, the oldest child of each model is spared: a child that never lives long cannot show growth.
 */
export class Killer {
  readonly kills: Kill[] = []
  readonly #service: ServiceProcess
  readonly #begin = performance.now()
  readonly #settledAt: number

  constructor(service: ServiceProcess, settleSeconds: number) {
    this.#service = service
    this.#settledAt = this.#begin + settleSeconds * 1000
  }

  async run(everySeconds: number, end: number, signal: AbortSignal): Promise<void> {
    if (everySeconds === 0) return
    for (;;) {
      const share = SHORTEST + Math.random() * (LONGEST - SHORTEST)
      const due = performance.now() + everySeconds * share * 1000
      if (due >= end || !(await sleepUntil(due, signal))) return
      this.#kill(victims(this.#service.children, performance.now() >= this.#settledAt, this.kills.length))
    }
  }

  /** how many children were killed since a time on the clock of performance.now() */
  since(time: number): number {
    return this.kills
      .filter(({ at }) => this.#begin + at * 1000 >= time)
      .reduce((sum, { pids }) => sum + pids.length, 0)
  }

  #kill(children: readonly Child[]): void {
    const killed = children.filter(({ pid }) => isKilled(pid))
    const [first] = killed
    if (first === undefined) return
    const at = (performance.now() - this.#begin) / 1000
    this.kills.push({ at, model: first.model, pids: killed.map(({ pid }) => pid) })
  }
}

/** The children that the next kill takes: of one model. */
export function victims(
  children: readonly Child[],
  isSettled: boolean,
  killsBefore: number,
  random: () => number = Math.random,
): readonly Child[] {
  const isOldest = (child: Child) => children.find(({ model }) => model === child.model) === child
  const candidates = isSettled ? children.filter((child) => !isOldest(child)) : children
  const one = candidates[Math.floor(random() * candidates.length)]
  if (one === undefined) return []
  const takesAll = !isSettled && killsBefore % 2 === 1
  return takesAll ? candidates.filter(({ model }) => model === one.model) : [one]
}

/** False: the child has ended by itself just now. */
function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}

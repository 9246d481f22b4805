import { Durations, type Latency } from '../../scripts/shared/durations.ts'
import { Autoscaler, type ScaleOptions } from './autoscaler.ts'
import { Cell, type CellOptions } from './cell.ts'
import { Clock } from './clock.ts'
import { exponential, randomFrom } from './random.ts'

export interface Scenario {
  readonly cell: CellOptions
  /** hosts at the beginning */
  readonly hosts: number
  /** calls per second at a time */
  readonly rate: (second: number) => number
  readonly seconds: number
  /** seconds within which 99 of 100 calls should be answered */
  readonly target: number
  readonly scale?: Omit<ScaleOptions, 'secondsPerImage'>
  readonly seed: number
}

export interface Outcome {
  readonly calls: number
  readonly refused: number
  /** mean, in milliseconds */
  readonly mean: number
  readonly latency: Latency | undefined
  /** seconds in which more than one call of 100 was refused, or took longer than the target */
  readonly secondsOver: number
  readonly hostHours: number
  readonly mostHosts: number
}

const SLICE = 10
const MAY_BE_LATE = 0.01

/** One cell, call by call. */
export function simulate({ cell: options, hosts, rate, seconds, target, scale, seed }: Scenario): Outcome {
  const clock = new Clock()
  const random = randomFrom(seed)
  const durations = new Durations()
  let [calls, refused, sum, ended, late, secondsOver, hostSeconds, mostHosts] = [0, 0, 0, 0, 0, 0, 0, hosts]
  const cell = new Cell(clock, options, {
    answered(latency) {
      durations.add(latency * 1000)
      sum += latency
      ended++
      if (latency > target) late++
    },
    refused() {
      refused++
      ended++
      late++
    },
  })
  for (let i = 0; i < hosts; i++) cell.addHost()
  if (scale !== undefined) {
    const { secondsPerImage } = options
    new Autoscaler(clock, cell, { ...scale, secondsPerImage }, () => calls)
  }
  const slice = () => {
    if (late > ended * MAY_BE_LATE) secondsOver += SLICE
    ended = 0
    late = 0
    hostSeconds += cell.hosts * SLICE
    mostHosts = Math.max(mostHosts, cell.hosts)
    clock.after(SLICE, slice)
  }
  clock.after(SLICE, slice)
  const arrive = () => {
    calls++
    cell.arrive()
    clock.after(exponential(random, rate(clock.now)), arrive)
  }
  clock.after(exponential(random, rate(0)), arrive)
  clock.runUntil(seconds)
  return {
    calls,
    refused,
    mean: (sum / durations.count) * 1000,
    latency: durations.latency(),
    secondsOver,
    hostHours: hostSeconds / 3600,
    mostHosts,
  }
}

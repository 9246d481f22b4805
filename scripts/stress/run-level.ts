import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Latency } from '../shared/durations.ts'
import type { Picture } from '../shared/picture.ts'
import { ServerMeter } from '../shared/server-figures.ts'
import type { Level, Plan } from './arguments.ts'
import { LevelRun } from './level-run.ts'
import { openArrivals } from './open-arrivals.ts'
import { type Failure, type Point, Recorder, type RouteResult } from './recorder.ts'
import { Sender } from './sender.ts'
import { type ServerSummary, summarise } from './server-summary.ts'
import { user } from './user.ts'

export interface LevelResult {
  readonly level: Level
  readonly startedAt: Date
  /** to the last answer */
  readonly seconds: number
  readonly endedEarly: boolean
  readonly routes: readonly RouteResult[]
  readonly all: RouteResult
  readonly failures: readonly Failure[]
  readonly points: readonly Point[]
  readonly server: ServerSummary | undefined
  readonly tester: TesterFigures
}

/** How much of what was measured is the tester's own delay. */
export interface TesterFigures {
  /** of requests, against the time at which they were due */
  readonly late: Latency | undefined
  /** Milliseconds. */
  readonly delayP99: number
  readonly delayMax: number
  /** Of one core: at 1, the tester is the bottleneck. */
  readonly busy: number
}

export interface LevelOptions {
  readonly plan: Plan
  readonly level: Level
  readonly nextPicture: () => Picture
  readonly signal: AbortSignal
  /** called after each interval */
  readonly onInterval: (recorder: Recorder) => void
  readonly onEnd: (recorder: Recorder) => void
}

/** Arrivals of the open scenario that may wait for their answers at a time: each has a connection. */
const MAX_OPEN = 4000
const DELAY_RESOLUTION_MS = 10

/** Makes one level from its begin to the last answer. */
export async function runLevel({
  plan,
  level,
  nextPicture,
  signal,
  onInterval,
  onEnd,
}: LevelOptions): Promise<LevelResult> {
  const meter = new ServerMeter(plan.url, plan.key, plan.model)
  const connections = level.kind === 'closed' ? level.users : MAX_OPEN
  const sender = new Sender({ ...plan, connections, nextPicture })
  const before = await meter.read()
  const delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  delays.enable()
  const cpuBefore = process.cpuUsage()
  const startedAt = new Date()
  const startedAtMs = performance.now()
  const recorder = new Recorder(plan.secondsPerLevel)
  const run = new LevelRun(sender, recorder, performance.now() + plan.secondsPerLevel * 1000, signal)

  const closeInterval = async () => {
    const point = recorder.closeInterval()
    onInterval(recorder)
    point.server = await meter.read()
  }
  const timer = setInterval(closeInterval, recorder.intervalMs)
  await requestsOf(run, level, plan)
  clearInterval(timer)
  await closeInterval()
  onEnd(recorder)
  delays.disable()
  const cpu = process.cpuUsage(cpuBefore)
  await Promise.all([sender.close(), meter.close()])

  return {
    level,
    startedAt,
    seconds: recorder.seconds,
    endedEarly: signal.aborted,
    routes: recorder.routes(),
    all: recorder.all(),
    failures: recorder.failures(),
    points: recorder.points,
    server: summarise(
      before,
      recorder.points.map(({ server }) => server),
    ),
    tester: {
      late: recorder.late.latency(),
      delayP99: aboveInterval(delays.percentile(99)),
      delayMax: aboveInterval(delays.max),
      busy: (cpu.user + cpu.system) / 1000 / (performance.now() - startedAtMs),
    },
  }
}

async function requestsOf(run: LevelRun, level: Level, { think }: Plan): Promise<void> {
  if (level.kind === 'open') return openArrivals(run, level.rate, MAX_OPEN)
  await Promise.all(Array.from({ length: level.users }, () => user(run, think)))
}

/** Node's histogram holds whole intervals of its own timer, in nanoseconds. */
function aboveInterval(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - DELAY_RESOLUTION_MS)
}

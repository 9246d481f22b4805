import { countText, durationText, NONE, percentText } from '../../scripts/shared/figure-text.ts'
import { table } from '../statistics.ts'
import type { Order, Part } from './arguments.ts'
import type { Rule } from './autoscaler.ts'
import type { Measured } from './measured.ts'
import { planFor } from './plan.ts'
import { type Outcome, type Scenario, simulate } from './simulate.ts'

const MAX_BATCH = 8
/** What a host with one child holds: one batch that is computed, and one that waits. */
const PREFETCH = 2 * MAX_BATCH
/** The part of RabbitMQ's core that a cell uses: the rest is for what comes after a loss, and for other work. */
const RABBIT_LOAD = 0.5
const LOSS_AT = 60
const LOSS_SECONDS = 300
const SPIKE_AT = 120
const SPIKE_RISE = 10
const SPIKE_LENGTH = 600
const AFTER_SPIKE = 480
const LOAD_SECONDS = 120
const LOADS = [0.5, 0.7, 0.85, 0.95]
const LOAD_HOSTS = [1, 4, 16, 64]
const DAY = 86_400

/** Four rules; by length with two bounds of the wait, by rate with two shares. */
const RULES: readonly (readonly [string, Rule])[] = [
  ['calls under way, 200 ms each', { by: 'length', seconds: 0.2 }],
  ['calls under way, 50 ms each', { by: 'length', seconds: 0.05 }],
  ['rate, 85 % load', { by: 'rate', share: 0.85 }],
  ['rate, 60 % load', { by: 'rate', share: 0.6 }],
]

const OUTCOME_HEAD = ['calls', 'p50', 'p99', 'refused', 'time over the target']
const SCALE_HEAD = ['host hours', 'most hosts']

export function partText(part: Part, order: Order, measured: Measured): string {
  return TEXTS[part](order, measured)
}

const TEXTS: Readonly<Record<Part, (order: Order, measured: Measured) => string>> = {
  plan: planText,
  load: loadText,
  loss: lossText,
  spike: spikeText,
  day: dayText,
}

function planText(order: Order, measured: Measured): string {
  const cellRate = order.cellRate ?? measured.rabbitPerCore * RABBIT_LOAD
  const { hostRate, load, nodes } = order
  const rows = order.rates.map((rate) => {
    const plan = planFor(rate, { measured, hostRate, load, cellRate, nodes })
    const { cells, perCell, modelHosts, webHosts, megabytes, afterLoss } = plan
    const counts = [rate, cells, Math.round(perCell), modelHosts, webHosts, plan.nodes].map(countText)
    return [...counts, megabytes.toFixed(0), `${afterLoss.toFixed(2)}×`]
  })
  const head = ['images/s', 'cells', 'images/s of a cell', 'model hosts', 'web hosts', 'nodes of RabbitMQ']
  const note = `A cell: at most ${cellRate.toFixed(0)} calls/s. Model hosts: ${hostRate} images/s, ${percentText(load)} of that used.`
  return `${note}\n\n${table([...head, 'MB/s of a cell', 'load of a cell after a loss'], rows)}`
}

function loadText(order: Order, measured: Measured): string {
  const rows = LOADS.flatMap((load) =>
    LOAD_HOSTS.map((hosts) => {
      const rate = hosts * order.hostRate * load
      const outcome = simulate({ ...common(order, measured), hosts, rate: () => rate, seconds: LOAD_SECONDS })
      return [percentText(load), String(hosts), ...outcomeCells(outcome, LOAD_SECONDS)]
    }),
  )
  return table(['load', 'model hosts', ...OUTCOME_HEAD], rows)
}

function lossText(order: Order, measured: Measured): string {
  const rows = [2, 3, 5, 10].flatMap((cells) =>
    [false, true].map((hasReserve) => {
      const after = hasReserve ? order.peak * (cells / (cells - 1)) : order.peak
      const outcome = simulate({
        ...common(order, measured),
        hosts: hostsFor(after, order),
        rate: (second) => (second < LOSS_AT ? order.peak : order.peak * (cells / (cells - 1))),
        seconds: LOSS_SECONDS,
      })
      const reserve = hasReserve ? 'for the loss of a cell' : 'none'
      const failed = countText(Math.round(order.peak * order.notice))
      const hosts = String(hostsFor(after, order))
      return [`1 of ${cells}`, failed, reserve, hosts, ...outcomeCells(outcome, LOSS_SECONDS)]
    }),
  )
  return table(
    ['cells lost', 'calls to the lost cell', 'hosts in reserve', 'model hosts of another', ...OUTCOME_HEAD],
    rows,
  )
}

function spikeText(order: Order, measured: Measured): string {
  const seconds = SPIKE_AT + SPIKE_LENGTH + AFTER_SPIKE
  const base = order.peak / order.spike
  const rate = (second: number) => {
    const since = second - SPIKE_AT
    if (since < 0 || since > SPIKE_LENGTH) return base
    return base + (order.peak - base) * Math.min(1, since / SPIKE_RISE)
  }
  return scaleText(order, measured, { rate, seconds, baseHosts: hostsFor(base, order) })
}

function dayText(order: Order, measured: Measured): string {
  const seconds = order.hours * 3600
  const { peak, trough } = order
  const rate = (second: number) => {
    const height = (1 - Math.cos((2 * Math.PI * second) / Math.min(DAY, seconds))) / 2
    return peak * (trough + (1 - trough) * height)
  }
  return scaleText(order, measured, { rate, seconds, baseHosts: hostsFor(peak * trough, order) })
}

interface Curve {
  readonly rate: (second: number) => number
  readonly seconds: number
  readonly baseHosts: number
}

/** Each rule of the autoscaler, and as many hosts all the time as the peak needs. */
function scaleText(order: Order, measured: Measured, { rate, seconds, baseHosts }: Curve): string {
  const { peak, start } = order
  const scenario = { ...common(order, measured), rate, seconds }
  const most = 4 * hostsFor(peak, order)
  const rows = RULES.map(([name, rule]) => {
    const scale = { rule, least: 1, most, start }
    return [name, ...scaleCells(simulate({ ...scenario, hosts: baseHosts, scale }), seconds)]
  })
  const fixed = simulate({ ...scenario, hosts: hostsFor(peak, order) })
  return table(
    ['hosts by', ...OUTCOME_HEAD, ...SCALE_HEAD],
    [...rows, ['always as at the peak', ...scaleCells(fixed, seconds)]],
  )
}

function common({ hostRate, queue, target, seed }: Order, { way }: Measured) {
  const cell = {
    secondsPerImage: 1 / hostRate,
    maxBatch: MAX_BATCH,
    prefetch: PREFETCH,
    maxQueue: queue,
    way,
  }
  return { cell, target, seed } satisfies Partial<Scenario>
}

function hostsFor(rate: number, { hostRate, load }: Order): number {
  return Math.ceil(rate / (hostRate * load))
}

function outcomeCells({ calls, refused, latency, secondsOver }: Outcome, seconds: number): string[] {
  const share = `${secondsOver} s, ${((100 * secondsOver) / seconds).toFixed(1)} %`
  const [p50, p99] = latency ? [durationText(latency.p50), durationText(latency.p99)] : [NONE, NONE]
  return [countText(calls), p50, p99, countText(refused), share]
}

function scaleCells(outcome: Outcome, seconds: number): string[] {
  return [...outcomeCells(outcome, seconds), outcome.hostHours.toFixed(1), String(outcome.mostHosts)]
}

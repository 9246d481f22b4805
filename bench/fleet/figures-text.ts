import { table } from '../statistics.ts'
import type { AddedLatency } from './added-latency.ts'
import type { Failover } from './failover.ts'
import type { Figures } from './figures.ts'
import type { SaturationRow } from './saturation.ts'
import type { ThroughputRow } from './throughput.ts'
import type { WebHostFigures } from './web-host.ts'

/** The tables of one run, as docs/scale.md has them. */
export function figuresText(figures: Figures): string {
  const { throughput, latency, failover, web, saturation, faults } = figures
  const { machine, msPerImage, bytes } = figures
  const parts = [
    `${machine}\nImages of ${bytes} bytes, ${msPerImage} ms for an image`,
    throughput && throughputTable(throughput),
    latency && latencyTable(latency),
    failover && failoverTable(failover),
    web && webTable(web),
    saturation && saturationTable(saturation),
    `${faults.asked} calls in all: ${faults.lost} lost, ${faults.doubled} doubled, ${faults.wrong} wrong.`,
  ]
  return parts.filter((part) => part !== undefined).join('\n\n')
}

function throughputTable(rows: readonly ThroughputRow[]): string {
  const head = ['model hosts', 'images/s', 'part of N × one host', 'p50', 'p99', 'MB/s']
  const cores = ['cores: RabbitMQ', 'cores: web host', 'cores: a model host']
  return table(
    [...head, ...cores],
    rows.map((row) => [
      String(row.hosts),
      row.perSecond.toFixed(1),
      row.part.toFixed(3),
      ms(row.p50),
      ms(row.p99),
      row.megabytes.toFixed(1),
      row.cores.rabbit.toFixed(2),
      row.cores.web.toFixed(2),
      row.cores.host.toFixed(2),
    ]),
  )
}

function latencyTable({ rows, added }: AddedLatency): string {
  const cells = rows.map(({ through, calls, p50, p99 }) => [through, String(calls), ms(p50), ms(p99)])
  return `${table(['one call through', 'calls', 'p50', 'p99'], cells)}\n\nAdded at p50: ${ms(added)}`
}

function failoverTable({ kills }: Failover): string {
  return table(
    ['kill -9 of one host of two', 'calls under way', 'all answered after', 'longest time without an answer'],
    kills.map(({ underway, untilAnswered, silence }, i) => [
      String(i + 1),
      String(underway),
      ms(untilAnswered),
      ms(silence),
    ]),
  )
}

function webTable(figures: WebHostFigures): string {
  const { callers, pending, perSecond, webCores, rssMib, pages, loopMs, waitedShare } = figures
  const head = [`${callers} HTTP callers, ${pending} of them waiting`, 'asked', 'p50', 'p99']
  const rows = pages.map(({ page, asked, p50, p99 }) => [
    page.startsWith('/') ? `GET ${page}` : page,
    String(asked),
    ms(p50),
    ms(p99),
  ])
  const use = `${perSecond.toFixed(0)} images/s; the web host: ${webCores.toFixed(2)} cores, ${rssMib.toFixed(0)} MiB`
  const thread = `While pages were asked for, its event loop was late by ${ms(loopMs)} at p99, and its thread waited for a core for ${(waitedShare * 100).toFixed(0)} % of the time`
  return `${table(head, rows)}\n\n${use}\n${thread}`
}

function saturationTable(rows: readonly SaturationRow[]): string {
  const head = [
    'bytes of an image',
    'calls/s',
    'messages/s',
    'MB/s',
    'cores of RabbitMQ',
    'calls per core and second',
  ]
  return table(
    head,
    rows.map((row) => [
      String(row.bytes),
      row.callsPerSecond.toFixed(0),
      row.messagesPerSecond.toFixed(0),
      row.megabytes.toFixed(1),
      row.rabbitCores.toFixed(2),
      row.callsPerCore.toFixed(0),
    ]),
  )
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`
}

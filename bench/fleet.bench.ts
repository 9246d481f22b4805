/** Many hosts behind RabbitMQ on one machine: `npm run bench -- fleet --help`. */
import { writeFileSync } from 'node:fs'
import { CommandError, EXIT } from '../scripts/shared/command-error.ts'
import { mustBeWritable } from '../scripts/shared/must-be-writable.ts'
import { killProcessesIn } from '../test/support/leftovers.ts'
import { HAS_RABBITMQ, type RabbitMq, startRabbitMq } from '../test/support/rabbitmq.ts'
import { temporaryRoot } from '../test/support/temporary-folder.ts'
import { measureAddedLatency } from './fleet/added-latency.ts'
import { type Part, type Plan, readArguments, USAGE } from './fleet/arguments.ts'
import { measureFailover } from './fleet/failover.ts'
import { type Faults, hasFaults, sumOf } from './fleet/faults.ts'
import type { Figures } from './fleet/figures.ts'
import { figuresText } from './fleet/figures-text.ts'
import { measureSaturation } from './fleet/saturation.ts'
import { measureThroughput } from './fleet/throughput.ts'
import { measureWebHost } from './fleet/web-host.ts'
import { machine } from './statistics.ts'

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const

process.exitCode = await bench().catch((error: unknown) => {
  if (!(error instanceof CommandError)) throw error
  process.stderr.write(`${error.message}\n`)
  return error.exitCode
})

async function bench(): Promise<number> {
  const plan = readArguments(process.argv.slice(3))
  if (plan === undefined) {
    process.stdout.write(USAGE)
    return EXIT.passed
  }
  if (plan.report !== undefined) mustBeWritable(plan.report)
  if (!HAS_RABBITMQ) throw new CommandError('RabbitMQ is not installed: apt-get install rabbitmq-server', 3)
  const rabbit = await startRabbitMq()
  // RabbitMQ is in a group of its own: neither Ctrl-C nor a failed bench ends it.
  process.prependListener('exit', () => killProcessesIn(temporaryRoot()))
  for (const [signal, code] of SIGNALS) process.once(signal, () => process.exit(code))
  const figures = await measure(rabbit, plan)
  await rabbit.stop()
  process.stdout.write(`${figuresText(figures)}\n`)
  if (plan.report !== undefined) writeFileSync(plan.report, `${JSON.stringify(figures, null, 2)}\n`)
  return hasFaults(figures.faults) ? EXIT.failed : EXIT.passed
}

async function measure(rabbit: RabbitMq, plan: Plan): Promise<Figures> {
  const run = async <Result>(part: Part, work: (rabbit: RabbitMq, plan: Plan) => Promise<Result>) =>
    plan.parts.includes(part) ? await work(rabbit, plan) : undefined
  const throughput = await run('throughput', measureThroughput)
  const latency = await run('latency', measureAddedLatency)
  const failover = await run('failover', measureFailover)
  const web = await run('web', measureWebHost)
  const saturation = await run('saturation', measureSaturation)
  const all: (Faults | undefined)[] = [...(throughput ?? []), latency, failover, web, ...(saturation ?? [])]
  const faults = sumOf(all.filter((one) => one !== undefined))
  const { msPerImage, bytes } = plan
  return { machine: machine(), msPerImage, bytes, throughput, latency, failover, web, saturation, faults }
}

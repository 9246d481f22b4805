import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Broker, type BrokerOptions } from '../../broker/broker.ts'
import { programFile } from './program.ts'

const open: Broker[] = []

export const fixture = (name: string) => pathToFileURL(programFile(`test/fixtures/pipelines/${name}.ts`))

/** A broker over one of the fixture pipelines; it is closed after the test. */
export function brokerFor(pipeline: string, options: Omit<BrokerOptions, 'pipeline'> = {}): Broker {
  const broker = new Broker({ pipeline: fixture(pipeline), ...options })
  open.push(broker)
  return broker
}

export async function startBroker(
  pipeline: string,
  options: Omit<BrokerOptions, 'pipeline'> = {},
): Promise<Broker> {
  const broker = brokerFor(pipeline, options)
  await broker.start()
  return broker
}

export async function closeBrokers(): Promise<void> {
  for (const broker of open.splice(0)) {
    broker.kill()
    await broker.close()
  }
}

/** The code with which a promise rejects. A promise that resolves fails the test. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await errorOf(promise)).code
}

export async function errorOf(promise: Promise<unknown>): Promise<Error & { code: string; cause?: Error }> {
  try {
    const value = await promise
    throw new Error(`resolved with ${String(value)} instead of rejecting`)
  } catch (error) {
    return error as Error & { code: string; cause?: Error }
  }
}

export function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false
  try {
    process.kill(pid, 0)
    // An orphan that has ended stays in the process table, as a zombie, until its new parent collects it.
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  withinMs: number,
  what: string,
  everyMs = 10,
): Promise<number> {
  const start = performance.now()
  while (!(await condition())) {
    if (performance.now() - start > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  return performance.now() - start
}

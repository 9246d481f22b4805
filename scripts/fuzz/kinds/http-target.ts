import { crc32 } from 'node:zlib'
import { ERRORS } from '../../../lib/http/errors.ts'
import { allReady, type Service } from '../../../test/support/service.ts'
import type { Fault, Result, Target } from '../target.ts'
import { type Answer, type Exchange, exchange } from './exchange.ts'

const HEALTH_WITHIN_MS = 10_000
const LOGGED_ERROR = 50

interface LogMark {
  readonly ended: number
  readonly errors: number
}

/** Sends requests to a service, and looks after each batch whether the service is unharmed. */
export class HttpTarget implements Target {
  readonly #restart: () => Promise<Service>
  readonly #patience: number
  #service: Service

  /** One of `patience` connections stays open until the service ends it, also if the request is incomplete. */
  constructor(service: Service, restart: () => Promise<Service>, patience: number) {
    this.#service = service
    this.#restart = restart
    this.#patience = patience
  }

  async examine(inputs: readonly Buffer[]): Promise<Result[]> {
    const mark = this.#mark()
    const results = await Promise.all(inputs.map((input) => this.#send(input)))
    const harm = await this.#harm(mark)
    if (harm === undefined) return results
    await this.#recover()
    const [only, ...others] = results
    if (only === undefined) return []
    if (others.length === 0) return [{ ...only, fault: only.fault ?? harm }]
    const alone: Result[] = []
    for (const input of inputs) alone.push(...(await this.examine([input])))
    const isFound = alone.some(({ fault }) => fault !== undefined)
    return isFound
      ? alone
      : [
          { ...only, fault: { ...harm, text: `${harm.text}\nOnly together with ${others.length} others.` } },
          ...others,
        ]
  }

  async close(): Promise<void> {
    await this.#service.stop()
  }

  async #send(input: Buffer): Promise<Result> {
    const isPatient = crc32(input) % this.#patience === 0
    const done = await exchange(this.#service.url, input, isPatient)
    const fault = faultIn(done)
    const outcome = outcomeOf(done)
    return { outcome: fault?.cause ?? outcome, ms: done.ms, peakBytes: 0, ...(fault && { fault }) }
  }

  /** What the requests since the mark have done to the service. */
  async #harm(mark: LogMark): Promise<Fault | undefined> {
    const { process: web, url } = this.#service
    const health = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(HEALTH_WITHIN_MS) }).then(
      ({ status }) => String(status),
      (error: unknown) => String(error),
    )
    const exit = web.exitCode ?? web.signalCode
    if (exit !== null) return harm('death', 'the web process ended', String(exit))
    if (health !== '200') return harm('hang', 'no answer of /healthz', health)
    const now = this.#mark()
    if (now.ended > mark.ended)
      return harm(
        'death',
        'a child ended',
        this.#lastLine(({ msg }) => msg === 'child ended'),
      )
    if (now.errors > mark.errors)
      return harm(
        'error',
        'an error in the log',
        this.#lastLine(({ level }) => Number(level) >= LOGGED_ERROR),
      )
    return undefined
  }

  async #recover(): Promise<void> {
    const { process: web } = this.#service
    if (web.exitCode !== null || web.signalCode !== null) this.#service = await this.#restart()
    await allReady(this.#service)
  }

  #mark(): LogMark {
    const { logs } = this.#service
    return {
      ended: logs.filter(({ msg }) => msg === 'child ended').length,
      errors: logs.filter(({ level }) => Number(level) >= LOGGED_ERROR).length,
    }
  }

  #lastLine(isMeant: (line: Service['logs'][number]) => boolean): string {
    return JSON.stringify(this.#service.logs.findLast(isMeant))
  }
}

function harm(kind: Fault['kind'], cause: string, text: string): Fault {
  return { kind, cause, text: `${cause}: ${text}` }
}

function faultIn({ answers, end, received }: Exchange): Fault | undefined {
  const text = received.toString('latin1', 0, 2000)
  if (end === 'hang')
    return { kind: 'hang', cause: 'hang', text: `neither an answer nor an end; received: ${text}` }
  const wrong = answers.find((answer) => !isDocumented(answer))
  if (wrong === undefined) return undefined
  const cause = `answer: ${wrong.status} ${wrong.code}`
  return { kind: 'answer', cause, text }
}

/** A 4xx or a success; or an error of the service that docs/errors.md lists, but not one that hides its cause. */
function isDocumented({ status, code }: Answer): boolean {
  if (status < 500) return status >= 100
  const row = Object.entries(ERRORS).find(([name]) => name === code)?.[1]
  return status !== 500 && row?.status === status
}

function outcomeOf({ answers, end }: Exchange): string {
  const [first = 'none', second] = answers.map(({ status, code }) => `${status} ${code}`.trim())
  const more = second === undefined || second === first ? '' : `, ${second}`
  return `${first}${more}${end === 'left' ? ', incomplete' : ''}`
}

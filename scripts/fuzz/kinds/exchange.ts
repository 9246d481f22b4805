import { openSocket } from '../../../test/support/open-socket.ts'

export interface Answer {
  readonly status: number
  /** '' if the answer has none */
  readonly code: string
}

export interface Exchange {
  readonly answers: readonly Answer[]
  /** `left`: this side ended the connection, since the service waited for more. */
  readonly end: 'answered' | 'closed' | 'left' | 'hang'
  readonly received: Buffer
  readonly ms: number
}

/** A service that waits for the rest of a request sends nothing for this long. */
const QUIET_MS = 400
/** After this side has ended the connection. */
const CLOSED_WITHIN_MS = 30_000
/** Every limit of the service on waiting is below this. */
const PATIENCE_MS = 60_000
const REQUEST = /^[A-Z]+ \S+ HTTP\/1\.[01]\r?$/gm
const MAX_REQUESTS = 16
const END_OF_HEAD = '\r\n\r\n'

/**
 * Sends bytes on a connection of their own, and reads until all requests in them are answered, or until the service ends the
 * connection. `patient`: this side does not end the connection of an incomplete request.
 */
export function exchange(url: string, bytes: Buffer, patient: boolean): Promise<Exchange> {
  const start = performance.now()
  const expected = Math.min(MAX_REQUESTS, Math.max(1, bytes.toString('latin1').match(REQUEST)?.length ?? 0))
  return new Promise((resolve) => {
    const socket = openSocket(url)
    const chunks: Buffer[] = []
    let hasLeft = false
    let timer: NodeJS.Timeout
    const finish = (end: Exchange['end']) => {
      clearTimeout(timer)
      socket.destroy()
      const received = Buffer.concat(chunks)
      resolve({ answers: answersIn(received).answers, end, received, ms: performance.now() - start })
    }
    const leave = () => {
      hasLeft = true
      socket.end()
      timer = setTimeout(() => finish('hang'), CLOSED_WITHIN_MS)
    }
    const wait = () => {
      clearTimeout(timer)
      timer = patient ? setTimeout(() => finish('hang'), PATIENCE_MS) : setTimeout(leave, QUIET_MS)
    }
    wait()
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      const { answers, isWhole } = answersIn(Buffer.concat(chunks))
      if (isWhole && answers.filter(({ status }) => status >= 200).length >= expected) finish('answered')
      else if (!hasLeft) wait()
    })
    socket.once('close', () => finish(hasLeft ? 'left' : 'closed'))
    socket.write(bytes)
  })
}

/** The answers, one behind the other. `isWhole`: the last one has come to its end. */
export function answersIn(bytes: Buffer): { answers: Answer[]; isWhole: boolean } {
  const answers: Answer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(END_OF_HEAD, at)
    if (end < 0) return { answers, isWhole: false }
    const head = bytes.toString('latin1', at, end)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
    answers.push({ status, code: /^x-error-code: (\S+)/im.exec(head)?.[1] ?? '' })
    const next = end + END_OF_HEAD.length + bodyBytes(head, bytes, end + END_OF_HEAD.length)
    if (next > bytes.length || status === 0) return { answers, isWhole: false }
    at = next
  }
  return { answers, isWhole: true }
}

/** Infinite while the body has not come to its end. */
function bodyBytes(head: string, bytes: Buffer, start: number): number {
  // The answer to a HEAD tells the length of a body that it does not have.
  if (bytes.length === start && /^HTTP\/1\.1 (1|204|304)/.test(head)) return 0
  if (bytes.toString('latin1', start, start + 9) === 'HTTP/1.1 ') return 0
  const length = /^content-length: (\d+)$/im.exec(head)?.[1]
  if (length !== undefined) return Number(length)
  if (!/^transfer-encoding: chunked$/im.test(head)) return 0
  const end = bytes.indexOf('0\r\n\r\n', start)
  return end < 0 ? Number.POSITIVE_INFINITY : end + 5 - start
}

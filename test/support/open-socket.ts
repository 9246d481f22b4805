import { connect, type Socket } from 'node:net'

export interface Outcome {
  /** the status of the first final answer; 0 if the connection was closed without one */
  readonly status: number
  /** all bytes received */
  readonly text: string
  readonly ms: number
}

const WAIT_MS = 25_000

/** A connection to write anything to, HTTP or not. Errors of the connection are ignored, since tests provoke them. */
export function openSocket(url: string, localAddress?: string): Socket {
  const { hostname: host, port } = new URL(url)
  const from = localAddress === undefined ? {} : { localAddress }
  return connect({ host, port: Number(port), ...from }).on('error', () => undefined)
}

/** Writes all bytes, and reads until the other side closes or has answered `answers` times. */
export function attack(url: string, bytes: Buffer | string, answers = 1): Promise<Outcome> {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    const socket = openSocket(url)
    const chunks: Buffer[] = []
    const text = () => Buffer.concat(chunks).toString('latin1')
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`neither an answer nor an end within ${WAIT_MS} ms, but "${text().slice(0, 200)}"`))
    }, WAIT_MS)
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ status: statusIn(text()), text: text(), ms: performance.now() - start })
    }
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      if (countAnswers(text()) >= answers) finish()
    })
    socket.once('close', finish)
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  })
}

function statusIn(text: string): number {
  const [, status = '0'] = /^HTTP\/1\.1 (?!100)(\d{3})/m.exec(text) ?? []
  return Number(status)
}

const INTERIM = 'HTTP/1.1 100'
const LAST_CHUNK = '0\r\n\r\n'

/** The complete answers: by Content-Length, or up to the last chunk. */
function countAnswers(text: string): number {
  let count = 0
  for (let rest = text; ; ) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return count
    const head = rest.slice(0, end)
    const body = lengthOf(head, rest.slice(end + 4))
    if (body === undefined || rest.length < end + 4 + body) return count
    rest = rest.slice(end + 4 + body)
    if (!head.startsWith(INTERIM)) count++
  }
}

function lengthOf(head: string, rest: string): number | undefined {
  if (head.startsWith(INTERIM)) return 0
  const [, length] = /^content-length: (\d+)$/im.exec(head) ?? []
  if (length !== undefined) return Number(length)
  const end = /^transfer-encoding: chunked$/im.test(head) ? rest.indexOf(LAST_CHUNK) : -1
  return end < 0 ? undefined : end + LAST_CHUNK.length
}

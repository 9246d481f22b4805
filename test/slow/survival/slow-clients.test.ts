import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { photo } from '../../support/image-files.ts'
import { openSocket } from '../../support/open-socket.ts'
import type { Service } from '../../support/service.ts'
import {
  expectUnharmed,
  HEALTH_P99_MS,
  HEALTH_WORST_MS,
  startSurvivor,
  watchHealth,
  watchMemory,
} from '../../support/survivor.ts'
import { showNoise } from '../../support/upload-noise.ts'

const CLIENTS = 200
const DRIP_EVERY_MS = 400
/** Node gives headers 10 s, and checks every 5 s. The rest is for busy machines. */
const HEADERS_MS = 25_000
const BODY_MS = 1000
/** Twice the limits of a download and a call, because Node ends an idle connection at the second check. */
const STALL_MS = 2 * (1 + 3000)
const READERS = 10
const LARGE = 1_000_000
/** A connection that still works would send more within this time. */
const QUIET_MS = 2000
/** More answers than the system buffers for a client that reads nothing. */
const UNREAD = 30
const WEB_MIB = 400
const HEAD = 'Host: x\r\n'

describe('Slow clients', () => {
  let service: Service
  let unread: Promise<number[]>
  before(async function () {
    this.timeout(30_000)
    const times = { BODY_TIMEOUT_MS: String(BODY_MS), FETCH_TIMEOUT_MS: '1', DEADLINE_MS: '3000' }
    service = await startSurvivor(times)
    const { path } = await showNoise(service)
    const requests = `GET ${path} HTTP/1.1\r\n${HEAD}\r\n`.repeat(UNREAD)
    unread = Promise.all(Array.from({ length: READERS }, () => silentReader(service, requests)))
  })
  after(() => service.stop())

  it(`that send nothing, or one byte at a time, are disconnected, and others are served meanwhile: ${CLIENTS} clients`, async () => {
    const health = await watchHealth(service)
    const memory = watchMemory(service)
    const start = performance.now()
    const clients = Array.from({ length: CLIENTS }, (_, index) => {
      if (index % 4 === 0) return dripping(service, '', '')
      if (index % 4 === 1) return dripping(service, 'GET /', 'x')
      if (index % 4 === 2) return dripping(service, `GET / HTTP/1.1\r\n${HEAD}`, 'X: y\r\n')
      return dripping(service, `POST /picture HTTP/1.1\r\n${HEAD}X:`, 'y')
    })
    const all = Promise.all(clients)
    const served = await predictUntil(service, all)
    const endings = await all
    expect(performance.now() - start, 'ms until the last one was closed').to.be.below(HEADERS_MS)
    expect(endings.filter((text) => !/^(HTTP\/1.1 408 |$)/.test(text))).to.deep.equal([])
    expect(served, 'predictions meanwhile').to.be.above(20)
    const { p99, worst } = await health()
    expect(p99, 'the p99 of /healthz meanwhile, in ms').to.be.below(HEALTH_P99_MS)
    expect(worst, 'the longest that /healthz took, in ms').to.be.below(HEALTH_WORST_MS)
    expect(memory().web, 'MiB of the web process').to.be.below(WEB_MIB)
    await expectUnharmed(service)
  }).timeout(HEADERS_MS + 20_000)

  it(`that send a body byte by byte get 408 after ${BODY_MS} ms: ${CLIENTS} clients`, async () => {
    const health = await watchHealth(service)
    const clients = Array.from({ length: CLIENTS }, (_, index) => {
      const post = `POST ${index % 2 ? '/picture' : '/feedback'} HTTP/1.1\r\n${HEAD}`
      if (index % 4 < 2) return dripping(service, `${post}Content-Length: 100000\r\n\r\n`, 'x')
      return dripping(service, `${post}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n')
    })
    const endings = await Promise.all(clients)
    expect(endings.filter((text) => !/^HTTP\/1.1 408 .*ERR_BODY_TIMEOUT/s.test(text))).to.deep.equal([])
    expect((await health()).worst, 'the longest that /healthz took, in ms').to.be.below(HEALTH_WORST_MS)
    await expectUnharmed(service)
  })

  it('that do not read their answers are disconnected', async () => {
    for (const bytes of await unread) expect(bytes).to.be.below(UNREAD * LARGE)
    await expectUnharmed(service)
  }).timeout(5 * STALL_MS)

  it('that reset the connection, at any stage, leave no error in the log', async () => {
    const image = await photo().png().toBuffer()
    const whole = Buffer.concat([
      Buffer.from(`POST /picture HTTP/1.1\r\n${HEAD}Content-Length: ${image.length}\r\n\r\n`),
      image,
    ])
    const form = Buffer.from(
      `POST /predict HTTP/1.1\r\n${HEAD}Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 500\r\n\r\n--B\r\nConten`,
    )
    const states = Buffer.concat([
      Buffer.from(
        `POST /digits HTTP/1.1\r\n${HEAD}Accept: application/x-ndjson\r\nContent-Length: ${image.length}\r\n\r\n`,
      ),
      image,
    ])
    const stages = [
      whole.subarray(0, 0),
      whole.subarray(0, 9),
      whole.subarray(0, 40),
      whole.subarray(0, -100),
      form,
    ]
    for (const sent of [...stages, whole, states]) {
      for (const wait of [0, 1, 5, 20]) {
        await Promise.all([1, 2, 3].map(() => resetAfter(service, sent, wait)))
      }
    }
    await delay(200)
    await expectUnharmed(service)
  })
})

/** Writes the beginning, then `drop` again and again until the connection is closed. Resolves to what was received. */
function dripping(service: Service, beginning: string, drop: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = openSocket(service.url)
    let text = ''
    const timer = setInterval(() => drop !== '' && socket.writable && socket.write(drop), DRIP_EVERY_MS)
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.once('end', () => socket.end())
    socket.once('close', () => {
      clearInterval(timer)
      resolve(text)
    })
    if (beginning !== '') socket.write(beginning)
  })
}

/** Resolves to the number of predictions that another client got. */
async function predictUntil({ url }: Service, over: Promise<unknown>): Promise<number> {
  const body = new Uint8Array(await photo().png().toBuffer())
  let isOver = false
  void over.then(() => {
    isOver = true
  })
  let count = 0
  while (!isOver) {
    expect((await fetch(`${url}/picture`, { method: 'POST', body })).status).to.equal(200)
    count++
    await delay(200)
  }
  return count
}

/** Reads nothing for some time, then everything. Resolves to the number of bytes. */
function silentReader(service: Service, requests: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = openSocket(service.url).pause()
    let received = 0
    socket.write(requests)
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    socket.pause()
    socket.once('close', () => resolve(received))
    setTimeout(() => socket.resume().setTimeout(QUIET_MS, () => socket.destroy()), 3 * STALL_MS)
  })
}

async function resetAfter(service: Service, bytes: Buffer, wait: number): Promise<void> {
  const socket = openSocket(service.url)
  await new Promise((resolve) => socket.once('connect', resolve))
  if (bytes.length > 0) socket.write(bytes)
  await delay(wait)
  socket.resetAndDestroy()
}

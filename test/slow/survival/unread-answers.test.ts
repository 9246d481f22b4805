import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { openSocket } from '../../support/open-socket.ts'
import { type Service, until } from '../../support/service.ts'
import { expectUnharmed, startSurvivor, survivor, watchHealth, watchMemory } from '../../support/survivor.ts'
import { showNoise } from '../../support/upload-noise.ts'

const MIB = 2 ** 20
const CLIENTS = 40
/** Just below MAX_BODY_BYTES. */
const ADDRESS = `http://x/${'a'.repeat(19.9 * MIB)}`
/** One such request costs about 100 MiB while it is read. Forty unread answers of this length would be 800 MiB and more. */
const WEB_MIB = 600

const MAX_OWED = 8 * MIB
const READERS = 20
/** More than the system takes for a connection whose other end reads nothing. */
const UNREAD = 10

describe('Clients that do not read', () => {
  const running = survivor()

  it(`an answer about an address of 20 MB, on ${CLIENTS} connections, hold little memory`, async () => {
    const service = running()
    const memory = watchMemory(service)
    const health = await watchHealth(service)
    const body = JSON.stringify({ images: [ADDRESS] })
    const request = `POST /api/infer HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const sockets: Socket[] = []
    for (let i = 0; i < CLIENTS; i++) {
      const socket = openSocket(service.url).pause()
      sockets.push(socket)
      await new Promise((resolve) => socket.write(request, resolve))
    }
    const answered = () => service.logs.filter(({ path }) => path === '/api/infer').length >= CLIENTS
    await until(answered, 'all answers', 60_000)
    const first = sockets[0] as Socket
    const [answer] = await once(first.resume(), 'data')
    expect(String(answer)).to.match(/^HTTP\/1.1 200 .*"url":"http:\/\/x\/a{2039}…","Error":"Invalid URL"/s)
    for (const socket of sockets) socket.destroy()
    await health()
    expect(memory().web, 'MiB of the web process').to.be.below(WEB_MIB)
    await expectUnharmed(service)
  }).timeout(90_000)
})

describe('With MAX_OWED_BYTES', () => {
  let service: Service
  before(async function () {
    this.timeout(30_000)
    service = await startSurvivor({ MAX_OWED_BYTES: String(MAX_OWED) })
  })
  after(() => service.stop())

  it('beyond it, the connections that have waited longest are closed, and a client that reads gets everything', async () => {
    const { path, bytes } = await showNoise(service)
    const ended: number[] = []
    const sockets = Array.from({ length: READERS }, (_, index) => {
      const socket = openSocket(service.url).pause()
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(UNREAD))
      socket.on('close', () => ended.push(index))
      return socket
    })
    const warned = () => service.logs.find(({ msg }) => msg.includes('MAX_OWED_BYTES'))
    expect(await until(warned, 'the warning')).to.include({ level: 40 })
    const answer = await fetch(service.url + path)
    expect((await answer.arrayBuffer()).byteLength).to.equal(bytes)
    // A paused socket notices its end when it reads on: those that were closed have less than all answers.
    const counts = await Promise.all(sockets.map(received))
    const closed = counts.filter((count) => count < UNREAD * bytes).length
    expect(closed, 'connections that were closed').to.be.at.least(READERS - MAX_OWED / bytes - 1)
  }).timeout(60_000)

  it('a client that takes nothing for ten seconds is closed, and one that takes a little is not', async () => {
    const { path, bytes } = await showNoise(service)
    const silent = openSocket(service.url).pause()
    const slow = openSocket(service.url).pause()
    for (const socket of [silent, slow])
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(UNREAD))
    let taken = 0
    slow.on('data', (chunk: Buffer) => {
      taken += chunk.length
      slow.pause()
      setTimeout(() => slow.resume(), (1000 * chunk.length) / (bytes / 2))
    })
    slow.resume()
    await delay(22_000)
    expect(await received(silent)).to.be.below(UNREAD * bytes)
    await until(() => taken >= UNREAD * bytes, `all answers for the slow client (${taken})`, 20_000)
    slow.destroy()
  }).timeout(60_000)
})

/** Reads what is left, until nothing comes any more. */
function received(socket: Socket): Promise<number> {
  return new Promise((resolve) => {
    let count = 0
    const done = () => {
      socket.destroy()
      resolve(count)
    }
    socket.on('data', (chunk: Buffer) => {
      count += chunk.length
    })
    socket.once('close', done).setTimeout(1000, done).resume()
  })
}

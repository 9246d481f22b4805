import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { attack, type Outcome } from '../../support/open-socket.ts'
import { type RawServer, rawServer } from '../../support/raw-server.ts'
import type { Service } from '../../support/service.ts'
import { expectUnharmed, startSurvivor, watchMemory } from '../../support/survivor.ts'

const MIB = 2 ** 20
const MAX_BYTES = 64 * MIB
const BODY = 19 * MIB
const CLIENTS = 16
const ROOM = Math.floor(MAX_BYTES / BODY)
const FETCH_MS = 5000
const ARRIVAL_MS = 200
const REFUSAL =
  /^HTTP\/1.1 503 .*All request bodies.*ERR_QUEUE_FULL|^HTTP\/1.1 503 .*ERR_QUEUE_FULL.*All request bodies/s
/** The bodies of all clients, and what is parsed from them, would need twice as much. */
const WEB_MIB = 500

describe('Request bodies whose images are downloaded', () => {
  let service: Service
  let images: RawServer
  before(async function () {
    this.timeout(30_000)
    // Accepts connections, and never answers.
    images = await rawServer({})
    service = await startSurvivor({
      MAX_QUEUE_BYTES: String(MAX_BYTES),
      FETCH_TIMEOUT_MS: String(FETCH_MS),
      ALLOW_HOSTS: '127.0.0.1',
      URL_PORTS: String(images.port),
    })
  })
  after(async () => {
    await service.stop()
    await images.close()
  })

  for (const path of ['/api/infer', '/picture']) {
    it(`count until the answer of POST ${path}: together they stay within MAX_QUEUE_BYTES`, async () => {
      const memory = watchMemory(service)
      const url = `http://127.0.0.1:${images.port}/`
      const body = JSON.stringify({ url, images: [url], padding: 'x'.repeat(BODY) })
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`
      const request = `${head}Content-Length: ${body.length}\r\n\r\n${body}`
      const answers: Promise<Outcome>[] = []
      for (let client = 0; client < CLIENTS; client++) {
        answers.push(attack(service.url, request))
        // So that the bodies do not arrive at the same time.
        await delay(ARRIVAL_MS)
      }
      const refused = (await Promise.all(answers)).filter(({ text }) => REFUSAL.test(text))
      expect(refused.length, 'refused').to.be.at.least(CLIENTS - ROOM)
      expect(memory().web, 'MiB of the web process').to.be.below(WEB_MIB)
      // Every answer has given its bytes back.
      const { status } = await attack(service.url, request)
      expect(status).to.equal(path === '/picture' ? 422 : 200)
      await expectUnharmed(service)
    }).timeout(60_000)
  }
})

import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect } from 'chai'
import { takeTurns } from '../../../lib/process/take-turns.ts'
import { until } from '../../support/broker.ts'

const POSTS = 8
/** Longer than one turn may take: everything that has arrived meanwhile waits for later turns. */
const BUSY_MS = 30

describe('Requests that arrive together', () => {
  const runs = {
    'a page waits for one prediction at the most': [...Array(POSTS).fill('POST'), 'GET'],
    'predictions go on while pages are asked for': [...Array(POSTS).fill('GET'), 'POST'],
  }
  for (const [title, methods] of Object.entries(runs)) {
    it(title, async () => {
      const begun: string[] = []
      const handler = takeTurns((req, res) => {
        const { method = '' } = req
        begun.push(method)
        const end = performance.now() + BUSY_MS
        while (performance.now() < end);
        res.end()
      })
      const server = createServer(handler).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      let accepted = 0
      server.on('connection', () => accepted++)
      const sockets = methods.map(() => connect(port, '127.0.0.1'))
      await Promise.all(sockets.map((socket) => once(socket, 'connect')))
      await until(() => accepted === methods.length, 10_000, 'all are accepted')
      for (const [i, socket] of sockets.entries())
        socket.write(`${methods[i]} / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`)
      await until(() => begun.length === methods.length, 10_000, 'all have begun')
      for (const socket of sockets) socket.destroy()
      server.close()
      const last = methods.at(-1) ?? ''
      // The first turn has begun with the first request alone.
      expect(begun.indexOf(last)).to.be.within(1, 2)
    })
  }
})

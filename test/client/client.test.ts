import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { type CallState, TandemClient, TandemError } from '../../client/client.ts'
import { createTandem, type Tandem } from '../../lib/library/create-tandem.ts'
import { fixture } from '../support/service.ts'

const KEY = 'a-key-of-sixteen-letters'
const cat = Buffer.from('cat')

describe('TandemClient', () => {
  let tandem: Tandem
  let url: string
  const servers: Server[] = []
  const listen = async (listener: RequestListener) => {
    const server = createServer(listener)
    servers.push(server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  before(async () => {
    tandem = await createTandem({
      models: ['cats'],
      pipeline: fixture('guesses.ts'),
      spareChildren: 0,
      apiKeys: [KEY],
    })
    url = await listen(tandem.handler())
  })
  after(async () => {
    for (const server of servers) server.closeAllConnections()
    for (const server of servers) server.close()
    await tandem?.close()
  })

  it('classifies bytes with a key', async () => {
    const client = new TandemClient({ url: `${url}/`, key: KEY })
    for (const picture of [cat, new Uint8Array(cat).buffer as ArrayBuffer, new Blob(['cat'])]) {
      const { model, predictions, timing } = await client.classify('cats', picture, { top: 1 })
      expect(model).to.equal('cats')
      expect(predictions?.map(({ label }) => label)).to.deep.equal(['cat'])
      expect(timing.total).to.be.above(0)
    }
    expect((await client.models()).map(({ name, state }) => [name, state])).to.deep.equal([['cats', 'ready']])
  })

  it('throws the error of the service', async () => {
    const error = await errorOf(new TandemClient({ url }).classify('cats', cat))
    expect(error).to.include({ code: 'ERR_UNAUTHORIZED', status: 401, retryAfter: undefined })
    expect(error.requestId).to.be.a('string')
    const broken = await errorOf(new TandemClient({ url, key: KEY }).classify('cats', Buffer.from('broken')))
    expect(broken).to.include({ code: 'ERR_IMAGE_DECODE', message: 'The bytes are no image.', status: 422 })
    const forbidden = new TandemClient({ url, key: KEY }).classify('cats', 'http://10.0.0.1/cat.png')
    expect((await errorOf(forbidden)).code).to.equal('ERR_URL_FETCH')
  })

  it('gives the states of a call, and the answer as the last one', async () => {
    const states: CallState[] = []
    for await (const state of new TandemClient({ url, key: KEY }).states('cats', cat)) states.push(state)
    expect(states.at(-1)).to.deep.include({ state: 'done', model: 'cats' })
    expect(states.slice(0, -1).map(({ state }) => state)).to.include('predicting')
  })

  it('throws the error that comes after the first states', async () => {
    const states = new TandemClient({ url, key: KEY }).states('cats', Buffer.from('broken'))
    const readAll = async () => {
      for await (const { state } of states) expect(state).to.not.equal('done')
    }
    const error = await errorOf(readAll())
    expect(error.code).to.equal('ERR_IMAGE_DECODE')
  })

  describe('with a busy service', () => {
    let requests = 0
    const busy = (failures: number, status: number, headers: Record<string, string>) => {
      requests = 0
      return listen((request, response) => {
        request.resume()
        if (++requests > failures) tandem.handler()(request, response)
        else
          response
            .writeHead(status, headers)
            .end('{"error":{"code":"ERR_QUEUE_FULL","message":"Full.","requestId":"1"}}')
      })
    }
    const ask = (url: string, more = {}) => new TandemClient({ url, key: KEY, ...more }).models()

    it('asks again after the time of Retry-After', async () => {
      for (const status of [429, 503]) {
        expect(await ask(await busy(2, status, { 'Retry-After': '0' }))).to.have.length(1)
        expect(requests).to.equal(3)
      }
    })

    it('asks no more often than it may', async () => {
      const error = await errorOf(ask(await busy(9, 503, { 'Retry-After': '0' }), { retries: 2 }))
      expect(error).to.include({ code: 'ERR_QUEUE_FULL', status: 503, retryAfter: 0 })
      expect(requests).to.equal(3)
    })

    it('does not ask again where the service gives no time, too long a time, or another error', async () => {
      const cases: [number, Record<string, string>][] = [
        [503, {}],
        [503, { 'Retry-After': '31' }],
        [500, { 'Retry-After': '0' }],
      ]
      for (const [status, headers] of cases) {
        await errorOf(ask(await busy(9, status, headers)))
        expect(requests, JSON.stringify([status, headers])).to.equal(1)
      }
    })

    it('ends a wait when its signal is aborted', async () => {
      const url = await busy(9, 503, { 'Retry-After': '20' })
      const control = new AbortController()
      const models = new TandemClient({ url, key: KEY }).models(control.signal).catch((error) => error)
      while (requests === 0) await new Promise((resolve) => setImmediate(resolve))
      control.abort(new Error('enough'))
      expect((await models).message).to.match(/enough|abort/i)
    })
  })

  it('asks again after a lost connection, and says ERR_NETWORK in the end', async () => {
    let requests = 0
    const url = await listen((request, response) => {
      if (++requests > 1) tandem.handler()(request, response)
      else request.socket.destroy()
    })
    expect(await new TandemClient({ url, key: KEY }).models()).to.have.length(1)
    const nobody = new TandemClient({ url: 'http://127.0.0.1:9', retries: 0 })
    expect(await errorOf(nobody.models())).to.include({ code: 'ERR_NETWORK', status: 0 })
  })

  it('understands a proxy that answers in a way of its own', async () => {
    const url = await listen((_, response) => void response.writeHead(502).end('<html>'))
    expect(await errorOf(new TandemClient({ url }).models())).to.include({ code: 'ERR_ANSWER', status: 502 })
  })
})

async function errorOf(promise: Promise<unknown>): Promise<TandemError> {
  const error: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (error instanceof TandemError) return error
  throw new Error(`a TandemError was expected, but there was ${String(error)}`)
}

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { type CallState, type DoneState, TandemClient, TandemError } from '../../client/client.ts'
import { drawn, encoded, inked } from '../support/digits.ts'
import { smallService } from '../support/small-service.ts'

const SIDE = 64

describe('TandemClient', () => {
  const rejection = (call: Promise<unknown>): Promise<TandemError> =>
    call.then(
      () => expect.fail('the call succeeds'),
      (error) => error,
    )

  describe('with a service', () => {
    const service = smallService()
    let client: TandemClient
    let seven: Buffer
    before(async () => {
      seven = await encoded(inked(drawn({ digit: 7, width: SIDE }), 255, 0), SIDE, SIDE)
    })
    beforeEach(() => {
      client = new TandemClient({ url: `${service().url}/`, retries: 0 })
    })

    it('classifies bytes, blobs, and addresses that the service downloads', async () => {
      const bytes = Uint8Array.from(seven)
      // A blob's own type would make it a form.
      const form = new Blob([bytes], { type: 'application/x-www-form-urlencoded' })
      const data = `data:image/png;base64,${seven.toString('base64')}`
      for (const picture of [bytes, bytes.buffer, form, data, new URL(data), service().offer(seven)]) {
        const { model, predictions, timing } = await client.classify('digits', picture, { top: 1 })
        expect(predictions?.map(({ label }) => label)).to.deep.equal(['7'])
        expect([model, typeof timing.total]).to.deep.equal(['digits', 'number'])
      }
    })

    it('gives the states of a call, and at last its answer', async () => {
      const states: (CallState | DoneState)[] = []
      const picture = await encoded(inked(drawn({ digit: 1, width: SIDE }), 255, 0), SIDE, SIDE)
      for await (const state of client.states('digits', service().offer(picture))) states.push(state)
      expect(states[0]).to.deep.equal({ state: 'downloading' })
      const last = states.at(-1)
      expect(last?.state === 'done' && last.predictions?.[0]?.label).to.equal('1')
      expect(last?.state === 'done' && last.id).to.match(/^\w+$/)
    })

    it('throws the error of a call whose states have begun', async () => {
      const run = async () => {
        for await (const _ of client.states('digits', service().offer('no image')));
      }
      const error = await rejection(run())
      expect(error).to.be.instanceOf(TandemError).and.to.include({ code: 'ERR_IMAGE_TYPE', status: 415 })
      expect(error.requestId).to.be.a('string')
    })

    it('lists the models and their labels', async () => {
      const models = await client.models()
      expect(models.map(({ name, state }) => [name, state])).to.deep.include(['digits', 'ready'])
      expect(await client.labels('digits')).to.deep.equal(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    })

    it('throws errors with the code, the status and the request id of the answer', async () => {
      const error = await rejection(client.classify('no/model', seven))
      expect(error).to.be.instanceOf(TandemError).and.to.include({ code: 'ERR_MODEL_UNKNOWN', status: 404 })
      expect(error.requestId).to.be.a('string')
    })
  })

  describe('with a server that does as it is told', () => {
    type Answer = (req: IncomingMessage, res: ServerResponse) => void
    let server: Server
    let url: string
    let answers: Answer[] = []
    let requests: IncomingMessage[] = []

    before(async () => {
      server = createServer((req, res) => {
        requests.push(req)
        const answer = answers.shift() ?? ((_, res) => void res.end('{"models":[]}'))
        req.resume().once('end', () => answer(req, res))
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    })
    beforeEach(() => {
      answers = []
      requests = []
    })
    after(() => server?.close())

    const busy =
      (retryAfter: string | undefined, status = 503): Answer =>
      (_, res) => {
        if (retryAfter !== undefined) res.setHeader('Retry-After', retryAfter)
        res.writeHead(status).end('{"error":{"code":"ERR_QUEUE_FULL","message":"Full.","requestId":"r1"}}')
      }
    const cut: Answer = (_, res) => void res.destroy()

    it('sends a request again when the server asks for it, or the connection was lost', async () => {
      answers = [busy('0.01'), busy(new Date().toUTCString(), 429), cut]
      expect(await new TandemClient({ url, key: 'a-key' }).models()).to.deep.equal([])
      expect(requests).to.have.length(4)
      expect(requests.map(({ headers }) => headers.authorization)).to.deep.equal(
        Array(4).fill('Bearer a-key'),
      )
    })

    it('sends the body again, too', async () => {
      answers = [busy('0.01')]
      await new TandemClient({ url }).classify('m', Uint8Array.of(1, 2, 3))
      expect(requests.map(({ headers }) => headers['content-length'])).to.deep.equal(['3', '3'])
    })

    it('sends no request again without Retry-After, after too many, or after too long a wait', async () => {
      const refused: [answers: Answer[], requests: number][] = [
        [[busy(undefined)], 1],
        [[busy('0'), busy('0'), busy('0')], 3],
        [[busy('3600')], 1],
        [[busy('0', 400)], 1],
      ]
      for (const [given, sent] of refused) {
        answers = [...given]
        requests = []
        const error = await rejection(new TandemClient({ url, retries: 2 }).models())
        expect(error).to.include({ code: 'ERR_QUEUE_FULL', requestId: 'r1' })
        expect(requests).to.have.length(sent)
      }
    })

    it('stops waiting when its signal is aborted', async () => {
      answers = [busy('20')]
      const control = new AbortController()
      const call = rejection(new TandemClient({ url }).models(control.signal))
      await once(server, 'request')
      control.abort(new Error('not wanted'))
      expect(await call).to.have.property('message', 'not wanted')
    })

    it('tells apart no answer, an answer of another server, and an answer that was cut', async () => {
      const client = new TandemClient({ url, retries: 0 })
      answers = [cut]
      expect(await rejection(client.models())).to.include({ code: 'ERR_NETWORK', status: 0 })
      answers = [(_, res) => void res.writeHead(502).end('<h1>Bad Gateway</h1>')]
      expect(await rejection(client.models())).to.include({ code: 'ERR_ANSWER', status: 502 })
      answers = [(_, res) => void res.writeHead(200).end('{"models":[')]
      expect(await rejection(client.models())).to.include({ code: 'ERR_ANSWER', status: 200 })
      answers = [(_, res) => void res.write('{"state":"predicting"}\n', () => res.destroy())]
      const run = async () => {
        for await (const _ of client.states('m', Uint8Array.of(1)));
      }
      expect(await rejection(run())).to.include({ code: 'ERR_NETWORK' })
    })

    it('reads lines that are divided anywhere, even inside of a character', async () => {
      const bytes = Buffer.from('{"state":"predicting"}\n{"state":"done","id":"ü€😀"}\n')
      answers = [
        async (_, res) => {
          for (const byte of bytes) {
            res.write(Uint8Array.of(byte))
            await new Promise((resolve) => setImmediate(resolve))
          }
          res.end()
        },
      ]
      const states = []
      for await (const state of new TandemClient({ url }).states('m', Uint8Array.of(1))) states.push(state)
      expect(states).to.deep.equal([{ state: 'predicting' }, { state: 'done', id: 'ü€😀' }])
    })
  })
})

import type { RequestListener, ServerResponse } from 'node:http'
import { expect } from 'chai'
import { CommandError } from '../../../scripts/shared/command-error.ts'
import { Asker } from '../../../scripts/soak/asker.ts'
import { difference } from '../../../scripts/soak/compare.ts'
import { type Question, same } from '../../../scripts/soak/question.ts'
import { foreignServer } from '../../support/stress.ts'

const LIMIT_MS = 1000

/** The page /right, and a request that should be refused. */
const RIGHT: Question = {
  route: 'GET /right',
  status: 200,
  request: () => ({ method: 'GET', path: '/right' }),
  read: same,
}

describe('What a request of the soak test is counted as', () => {
  let next: (response: ServerResponse) => void
  let kills = 0
  let asker: Asker
  let server: Awaited<ReturnType<typeof foreignServer>>
  const right = (response: ServerResponse) => void response.end('right')
  const refusal = (status: number, headers: Record<string, string>) => (response: ServerResponse) =>
    void response.writeHead(status, headers).end()
  const listener: RequestListener = (_, response) => next(response)

  before(async () => {
    server = await foreignServer(listener)
    const killsSince = () => kills
    asker = new Asker({ url: new URL(server.url), connections: 2, limitMs: LIMIT_MS, killsSince })
    next = right
    await asker.learn(RIGHT)
  })
  beforeEach(() => {
    kills = 0
  })
  after(async () => {
    await asker.close()
    await server.close()
  })

  const outcome = async (answer: (response: ServerResponse) => void) => {
    next = answer
    const { outcome, retries } = await asker.ask(RIGHT, 'plain')
    return `${outcome}, ${retries} retries`
  }

  it('right: the answer that was learnt', async () => {
    expect(await outcome(right)).to.equal('right, 0 retries')
  })

  it('wrong: another answer, another status, an error without a documented reason', async () => {
    expect(await outcome((response) => response.end('left'))).to.equal('wrong, 0 retries')
    expect(await outcome(refusal(500, {}))).to.equal('wrong, 0 retries')
    expect(await outcome(refusal(503, {}))).to.equal('wrong, 0 retries')
    expect(await outcome(refusal(200, { 'x-error-code': 'ERR_X' }))).to.equal('wrong, 0 retries')
  })

  it('right after retries: 503 with Retry-After, as long as the service asks for patience', async () => {
    let count = 0
    const later = (response: ServerResponse) =>
      count++ < 2 ? refusal(503, { 'retry-after': '0' })(response) : right(response)
    expect(await outcome(later)).to.equal('right, 2 retries')
  })

  it('refused: 503 with Retry-After also after five retries', async () => {
    expect(await outcome(refusal(503, { 'retry-after': '0' }))).to.equal('refused, 5 retries')
  })

  it('refused: ERR_CHILD_EXIT if the test has killed two children meanwhile, and wrong otherwise', async () => {
    const lost = refusal(502, { 'x-error-code': 'ERR_CHILD_EXIT' })
    expect(await outcome(lost)).to.equal('wrong, 0 retries')
    kills = 2
    expect(await outcome(lost)).to.equal('refused, 0 retries')
  })

  it('lost: a connection that ends without a whole answer, or the deadline of the service', async () => {
    expect(await outcome((response) => response.socket?.destroy())).to.equal('lost, 0 retries')
    const half = (response: ServerResponse) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.socket?.destroy())
    }
    expect(await outcome(half)).to.equal('lost, 0 retries')
    expect(await outcome(refusal(504, { 'x-error-code': 'ERR_DEADLINE' }))).to.equal('lost, 0 retries')
  })

  it('hung: neither an answer nor an end of the connection within the limit', async () => {
    expect(await outcome(() => undefined)).to.equal('hung, 0 retries')
    expect(await outcome((response) => void response.write('rig'))).to.equal('hung, 0 retries')
  })

  it('left: a client that does not wait, and cut: the user ended the test', async () => {
    next = () => undefined
    const leaving = await asker.ask(RIGHT, 'leaves')
    expect(leaving.outcome).to.equal('left')
    const asking = asker.ask(RIGHT, 'plain')
    asker.cut()
    expect((await asking).outcome).to.equal('cut')
    expect((await asker.ask(RIGHT, 'plain')).outcome).to.equal('cut')
  })

  it('nothing, if the service gives no right answer already before the test', async () => {
    const fresh = new Asker({
      url: new URL(server.url),
      connections: 1,
      limitMs: LIMIT_MS,
      killsSince: () => 0,
    })
    next = refusal(404, { 'x-error-code': 'ERR_NOT_FOUND' })
    const error = await fresh.learn(RIGHT).catch((error: unknown) => error)
    await fresh.close()
    expect(error).to.be.instanceOf(CommandError)
    expect(String(error)).to.include('404 ERR_NOT_FOUND in place of 200')
  })
})

describe('Two answers of the soak test', () => {
  const guesses = (...list: [label: string, probability: number][]) =>
    list.map(([label, probability]) => ({ label, probability }))
  const right = guesses(['cat', 0.6], ['dog', 0.2], ['fox', 0.1999995])

  it('are equal within 0.0001, and where two classes that are equal come in the other order', () => {
    expect(difference(right, guesses(['cat', 0.60009], ['dog', 0.2], ['fox', 0.19999]))).to.equal(undefined)
    expect(difference(right, guesses(['cat', 0.6], ['fox', 0.2], ['dog', 0.1999996]))).to.equal(undefined)
    expect(difference(guesses(['cat', 0.1234]), guesses(['cat', 0.1235]))).to.equal(undefined)
  })

  const DIFFERENT: [what: string, came: ReturnType<typeof guesses>][] = [
    ['a class is another one', guesses(['lynx', 0.6], ['dog', 0.2], ['fox', 0.2])],
    ['two classes are exchanged', guesses(['dog', 0.6], ['cat', 0.2], ['fox', 0.2])],
    ['a probability differs by more', guesses(['cat', 0.6002], ['dog', 0.2], ['fox', 0.2])],
    ['a probability is none', guesses(['cat', Number.NaN], ['dog', 0.2], ['fox', 0.2])],
    ['a class is missing', guesses(['cat', 0.6], ['dog', 0.2])],
    ['a class comes twice', guesses(['cat', 0.6], ['dog', 0.2], ['dog', 0.2])],
  ]
  for (const [what, came] of DIFFERENT) {
    it(`differ where ${what}`, () => expect(difference(right, came)).to.be.a('string'))
  }
})

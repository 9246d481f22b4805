import { expect } from 'chai'
import { dealCards } from '../../../scripts/soak/callers.ts'
import { victims } from '../../../scripts/soak/killer.ts'
import type { Question } from '../../../scripts/soak/question.ts'

/** The oldest first. */
const CHILDREN = ['small', 'digits', 'small', 'digits', 'small'].map((model, i) => ({
  pid: i + 1,
  model,
  startedAt: i,
}))

/** The processes of all kills that are possible. */
function possible(isSettled: boolean, killsBefore: number): string[] {
  const draws = Array.from({ length: 50 }, (_, i) => i / 50)
  const kills = draws.map((draw) => victims(CHILDREN, isSettled, killsBefore, () => draw))
  return [...new Set(kills.map((children) => children.map(({ pid }) => pid).join('+')))].sort()
}

describe('The kills of the soak test', () => {
  it('take any child while the service settles, and every second time all children of a model', () => {
    expect(possible(false, 0)).to.deep.equal(['1', '2', '3', '4', '5'])
    expect(possible(false, 1)).to.deep.equal(['1+3+5', '2+4'])
  })

  it('spare the oldest child of each model afterwards', () => {
    expect(possible(true, 0)).to.deep.equal(['3', '4', '5'])
    expect(possible(true, 1)).to.deep.equal(['3', '4', '5'])
  })

  it('take no child where there is none to take', () => {
    expect(victims([], false, 0)).to.deep.equal([])
    expect(victims(CHILDREN.slice(0, 2), true, 0)).to.deep.equal([])
  })
})

describe('The requests of the soak test', () => {
  it('come in a random order: each once from a plain client, then each in every manner, and again', () => {
    const question = (route: string, body?: Buffer): Question => ({
      route,
      status: 200,
      isLong: body === undefined,
      request: () => ({ method: 'POST', path: '/', ...(body && { body }) }),
      read: () => [],
    })
    const next = dealCards([question('long body', Buffer.alloc(10_000)), question('long answer')])
    // 1 + 3 plain cards for each, and 3 and 2 others.
    const deal = () => {
      const cards = Array.from({ length: 13 }, next)
      return cards.map(({ question, manner }) => `${question.route}: ${manner}`).sort()
    }
    const first = deal()
    expect(first).to.have.length(13)
    expect(deal()).to.deep.equal(first)
    const plain = [next(), next()].map(({ question, manner }) => `${question.route}: ${manner}`).sort()
    expect(plain).to.deep.equal(['long answer: plain', 'long body: plain'])
    expect([...new Set(first)]).to.deep.equal([
      'long answer: leaves',
      'long answer: plain',
      'long answer: reads slowly',
      'long body: leaves',
      'long body: leaves while writing',
      'long body: plain',
      'long body: writes slowly',
    ])
  })
})

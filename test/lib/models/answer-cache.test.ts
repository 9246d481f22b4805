import { expect } from 'chai'
import { AnswerCache, NO_TIME, type Question } from '../../../lib/models/answer-cache.ts'

const QUESTION: Question = { model: 'model', version: '1', sha256: 'ab', count: 5, classes: 10 }

describe('the cache of answers', () => {
  let version = '1'
  let counted: string[] = []
  let computed = 0

  const cacheOf = (entries: number) =>
    new AnswerCache({
      entries,
      count: (_, outcome) => counted.push(outcome),
    })
  const ask = (cache: AnswerCache, question: Partial<Question> = {}, meanwhile = () => {}) =>
    cache.answer({ ...QUESTION, ...question }, { signal: new AbortController().signal }, async () => {
      computed++
      meanwhile()
      return { value: computed, guesses: undefined, timing: NO_TIME, version }
    })

  beforeEach(() => {
    version = '1'
    counted = []
    computed = 0
  })

  it('keeps an answer for the same image, model and version, and for as many guesses', async () => {
    const cache = cacheOf(10)
    for (const other of [{}, { sha256: 'cd' }, { model: 'other' }, { count: 6 }]) await ask(cache, other)
    expect(computed).to.equal(4)
    expect((await ask(cache)).value).to.equal(1)
    expect(counted).to.deep.equal(['miss', 'miss', 'miss', 'miss', 'hit'])
  })

  it('serves few guesses from a kept answer with all guesses', async () => {
    const cache = cacheOf(10)
    await ask(cache, { count: 10 })
    expect((await ask(cache, { count: 3 })).timing.cached).to.equal(true)
  })

  it('keeps an answer for the version that has computed it, whatever version was expected', async () => {
    const cache = cacheOf(10)
    // The child was replaced by one with other weights, or another host has answered.
    await ask(cache, {}, () => {
      version = '2'
    })
    version = '1'
    expect((await ask(cache)).value).to.equal(2)
    expect(await ask(cache, { version: '2' })).to.deep.include({ value: 1, version: '2' })
    expect(counted).to.deep.equal(['miss', 'miss', 'hit'])
  })

  it('does not keep an answer whose version is unknown', async () => {
    const cache = cacheOf(10)
    version = ''
    await ask(cache)
    await ask(cache)
    expect(counted).to.deep.equal(['miss', 'miss'])
  })

  it('keeps nothing with 0 entries, and nothing for a model without a version', async () => {
    const without = cacheOf(0)
    await ask(without)
    await ask(without)
    const cache = cacheOf(10)
    await ask(cache, { version: '' })
    await ask(cache, { version: '' })
    expect([computed, counted]).to.deep.equal([4, []])
  })
})

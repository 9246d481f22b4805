import { expect } from 'chai'
import { hasBar, loadingWords, modelWord, stateWord } from '../../../public/state-words.js'

const SENTENCE = 'The network is gone. Next try in 9 s.'
const its = (state: string, word?: string) => ({
  state,
  progress: word === undefined ? null : { fraction: 0.5, word },
  error: null,
})

describe('The words for the states of a model', () => {
  it('are a progress while the model is loading', () => {
    const loading = its('starting', 'compiling 3 of 16 layers')
    expect(modelWord(loading)).to.equal('compiling 3 of 16 layers')
    expect(loadingWords('pets', loading)).to.deep.equal({
      title: 'pets is loading',
      word: 'compiling 3 of 16 layers',
      isBad: false,
    })
    expect(hasBar(loading)).to.equal(true)
  })

  it('are a reason without a bar while the model waits for its weights', () => {
    const waiting = its('starting', SENTENCE)
    expect(loadingWords('pets', waiting).title).to.equal('pets is waiting for its weights')
    expect(loadingWords('pets', waiting).word).to.equal(SENTENCE)
    expect(hasBar(waiting)).to.equal(false)
  })

  it('say that a restarting model starts again, and that an ending model stops', () => {
    expect(modelWord(its('restarting'))).to.match(/starting again/)
    for (const [state, word] of [
      ['closing', 'stopping'],
      ['closed', 'stopped'],
    ] as const) {
      expect(stateWord(state)).to.equal(word)
      expect(modelWord(its(state))).to.equal('The service is shutting down.')
      expect(loadingWords('pets', its(state))).to.deep.equal({
        title: `pets is ${word}`,
        word: 'The service is shutting down.',
        isBad: true,
      })
    }
  })

  it('name the device of a model that is ready', () => {
    expect(modelWord({ ...its('ready'), device: 'cpu' })).to.equal('runs on cpu')
    expect(modelWord(its('ready'))).to.equal('ready to answer')
  })
})

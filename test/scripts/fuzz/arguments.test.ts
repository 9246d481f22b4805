import { expect } from 'chai'
import { readArguments } from '../../../scripts/fuzz/arguments.ts'
import { CommandError } from '../../../scripts/shared/command-error.ts'

const read = (line: string) => readArguments(line === '' ? [] : line.split(' '))

describe('The options of npm run fuzz', () => {
  it('are read', () => {
    expect(read('images --seconds 5 --seed=0 --inputs 10')).to.deep.equal({
      kind: 'images',
      seconds: 5,
      inputs: 10,
      seed: 0,
      file: undefined,
    })
    expect(read('http --file a.png')).to.include({
      kind: 'http',
      seconds: 60,
      seed: undefined,
      file: 'a.png',
    })
    expect(read('images --help')).to.equal(undefined)
  })

  const WRONG: Record<string, RegExp> = {
    '': /The first word must be one of images, weights, http, but is ""/,
    image: /but is "image"; did you mean images\?/,
    'images weights': /Options were expected, but "weights" came/,
    'images --second 5': /no option --second; did you mean --seconds\?/,
    'images --seconds': /--seconds must have a value/,
    'images --seconds --seed': /--seconds must have a value/,
    'images --seconds 0': /--seconds must be a whole number from 1 to 86400, but is "0"/,
    'images --seconds 86401': /--seconds must be a whole number/,
    'images --seed -1': /--seed must be a whole number from 0/,
    'images --seed 4294967296': /--seed must be a whole number from 0 to 4294967295/,
  }
  for (const [line, sentence] of Object.entries(WRONG)) {
    it(`are refused in one sentence: "${line}"`, () =>
      expect(() => read(line)).to.throw(CommandError, sentence))
  }
})

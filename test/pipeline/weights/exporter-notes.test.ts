import { expect } from 'chai'
import { exporterNotes } from '../../../pipeline/weights/onnx/exporter-notes.ts'

const labelsOf = (names: string) =>
  exporterNotes(new Map([['names', names]])).labels?.map(({ first }) => first)

describe('the notes of an exporter', () => {
  const FORMS: [text: string, labels: string[] | undefined][] = [
    ["{0: 'cat', 1: 'a, b', 2: \"dog's\", }", ['cat', 'a, b', "dog's"]],
    ["{1: 'b', 0: 'a'}", ['a', 'b']],
    ["['cat', 'it\\'s']", ['cat', "it's"]],
    ["['cat'\n, 'dog',]", ['cat', 'dog']],
    ["{0: 'a', 2: 'c'}", undefined],
    ["{0: 'a', 1: 7}", undefined],
    ["['a', 7]", undefined],
    ["['a'] and more", undefined],
    ['{}', undefined],
    ['[]', undefined],
  ]
  for (const [text, labels] of FORMS) {
    it(`are labels only if all of the text is a list: ${text}`, () => {
      expect(labelsOf(text)).to.deep.equal(labels)
    })
  }

  it('are read in time in proportion to their length, whatever they are', () => {
    // Read again from each quote or digit, these texts would take hours.
    for (const text of [`['${"\\'".repeat(400_000)}`, `{${'1'.repeat(800_000)}`, `[${' '.repeat(800_000)}`])
      expect(labelsOf(text)).to.equal(undefined)
  })
})

import { expect } from 'chai'
import { encodeMessage, type Messages } from '../../../pipeline/graph/encode-message.ts'

const MESSAGES: Messages = {
  Outer: {
    fields: {
      a: { type: 'int32', id: 1 },
      b: { type: 'string', id: 2 },
      inner: { type: 'Inner', id: 3 },
      list: { rule: 'repeated', type: 'int64', id: 4 },
      inners: { rule: 'repeated', type: 'Inner', id: 16 },
    },
  },
  Inner: { fields: { f: { type: 'float', id: 1 }, bytes: { type: 'bytes', id: 2 } } },
}

describe('Messages of protocol buffers', () => {
  // The first three are examples of the documentation of the encoding.
  const cases: [string, object, string][] = [
    ['a number', { a: 150 }, '08 96 01'],
    ['a text', { b: 'testing' }, '12 07 74 65 73 74 69 6e 67'],
    ['a negative number, as 64 bits', { a: -2 }, '08 fe ff ff ff ff ff ff ff ff 01'],
    ['zero', { a: 0 }, '08 00'],
    ['a large number', { list: [2 ** 40] }, '20 80 80 80 80 80 20'],
    ['each number of a list', { list: [3, 270] }, '20 03 20 8e 02'],
    ['a text of two bytes a letter', { b: 'é' }, '12 02 c3 a9'],
    ['a message in a message', { inner: { f: 1.5 } }, '1a 05 0d 00 00 c0 3f'],
    ['an empty message', { inner: {} }, '1a 00'],
    ['a field number that needs two bytes', { inners: [{ bytes: Buffer.of(7) }] }, '82 01 03 12 01 07'],
    ['the fields in the order of the table', { b: '', a: 1 }, '08 01 12 00'],
  ]
  for (const [what, content, hex] of cases) {
    it(`have ${what}`, () => {
      expect(encodeMessage(MESSAGES, 'Outer', content).toString('hex')).to.equal(hex.replaceAll(' ', ''))
    })
  }

  it('refuse a number that a double cannot hold exactly', () => {
    for (const a of [2 ** 53, 0.5, Number.NaN]) {
      expect(() => encodeMessage(MESSAGES, 'Outer', { a }), String(a)).to.throw(RangeError)
    }
  })
})

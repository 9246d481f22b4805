import { expect } from 'chai'
import { decodeMessage } from '../../../pipeline/graph/decode-message.ts'
import { encodeMessage } from '../../../pipeline/graph/encode-message.ts'

const MESSAGES = {
  Outer: {
    fields: {
      name: { type: 'string', id: 1 },
      sizes: { rule: 'repeated', type: 'int64', id: 2 },
      part: { rule: 'repeated', type: 'Inner', id: 20 },
    },
  },
  Inner: {
    fields: {
      share: { type: 'float', id: 3 },
      raw: { type: 'bytes', id: 4 },
      count: { type: 'int32', id: 5 },
    },
  },
}

describe('decodeMessage', () => {
  const content = {
    name: 'größer',
    sizes: [-1, 0, 300, 2 ** 40],
    part: [{ share: 0.5, raw: Uint8Array.of(1, 2), count: 7 }, { count: -3 }],
  }

  it('gives back what encodeMessage has written', () => {
    const bytes = encodeMessage(MESSAGES, 'Outer', content)
    const { part, ...rest } = decodeMessage(MESSAGES, 'Outer', bytes)
    expect(rest).to.deep.equal({ name: content.name, sizes: content.sizes })
    const [first, second] = part as { share?: number; raw?: Uint8Array; count: number }[]
    expect([first?.share, [...(first?.raw ?? [])], first?.count, second]).to.deep.equal([
      0.5,
      [1, 2],
      7,
      { count: -3 },
    ])
  })

  it('reads numbers without tags in between, and skips fields that it does not know', () => {
    const packed = Uint8Array.of(0x12, 3, 1, 0xac, 2, 0x78, 9, 0x7d, 1, 2, 3, 4)
    expect(decodeMessage(MESSAGES, 'Outer', packed)).to.deep.equal({ sizes: [1, 300], part: [] })
  })

  it('refuses bytes that are cut off', () => {
    const bytes = encodeMessage(MESSAGES, 'Outer', content)
    for (const length of [1, 5, bytes.length - 1]) {
      const decode = () => decodeMessage(MESSAGES, 'Outer', bytes.subarray(0, length))
      expect(decode, String(length)).to.throw().with.property('code', 'ERR_MODEL_LOAD')
    }
  })
})

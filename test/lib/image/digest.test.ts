import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { digest } from '../../../lib/image/digest.ts'

describe('digest()', () => {
  it('equals the hash of the whole input, whatever the length is', async () => {
    const kb = 2 ** 10
    for (const length of [0, 1, 64 * kb, 64 * kb + 1, 512 * kb, 512 * kb + 1, 3_000_000]) {
      const bytes = Buffer.alloc(length, 'some bytes')
      for (const algorithm of ['sha256', 'md5'] as const) {
        const expected = createHash(algorithm).update(bytes).digest('hex')
        expect(await digest(algorithm, bytes), `${algorithm} of ${length} bytes`).to.equal(expected)
      }
    }
  })

  it('hashes the view that it is given, not the buffer below it', async () => {
    const bytes = Buffer.from('before inside after').subarray(7, 13)
    expect(await digest('md5', bytes)).to.equal(createHash('md5').update('inside').digest('hex'))
  })

  it('lets the event loop run between slices of large inputs, also of many at a time', async () => {
    const bytes = Buffer.alloc(8 * 2 ** 20)
    const inputs = 4
    let turns = 0
    let counting = true
    const count = () => {
      turns++
      if (counting) setImmediate(count)
    }
    setImmediate(count)
    await Promise.all(Array.from({ length: inputs }, () => digest('md5', bytes)))
    counting = false
    expect(turns).to.be.at.least((inputs * bytes.length) / (512 * 2 ** 10))
  })

  it('does not wait for the event loop with a small input', async () => {
    let turned = false
    const immediate = setImmediate(() => {
      turned = true
    })
    await digest('sha256', Buffer.alloc(64 * 2 ** 10))
    clearImmediate(immediate)
    expect(turned).to.equal(false)
  })
})

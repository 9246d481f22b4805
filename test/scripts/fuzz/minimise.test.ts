import { expect } from 'chai'
import { minimised } from '../../../scripts/fuzz/minimise.ts'

describe('minimised', () => {
  it('leaves the bytes that matter, wherever they are, and zeros for bytes whose number matters', async () => {
    const input = Buffer.concat([
      Buffer.alloc(300, 'x'),
      Buffer.from('A'),
      Buffer.alloc(77, 'y'),
      Buffer.from('BC'),
      Buffer.alloc(99, 'z'),
    ])
    const fails = async (one: Buffer) => /A.*BC/s.test(one.toString('latin1')) && one.length >= 6
    const small = await minimised(input, fails, 60_000)
    expect([...small].filter((byte) => byte !== 0)).to.deep.equal([...Buffer.from('ABC')])
    expect(small).to.have.length(6)
  })

  it('never returns an input that does not fail', async () => {
    const input = Buffer.from('abcdef')
    expect(await minimised(input, async () => false, 60_000)).to.equal(input)
  })

  it('ends when its time is over', async () => {
    let tries = 0
    const fails = async () => {
      tries++
      const end = performance.now() + 20
      while (performance.now() < end);
      return false
    }
    await minimised(Buffer.alloc(100_000, 'x'), fails, 100)
    expect(tries).to.be.within(1, 5)
  })
})

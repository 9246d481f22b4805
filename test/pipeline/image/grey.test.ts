import { expect } from 'chai'
import { grey } from '../../../pipeline/image/grey.ts'

describe('grey', () => {
  it('weighs the channels as ITU-R 601-2 does, and leaves greys as they are', () => {
    const colours = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 77, 77, 77)
    expect([...grey(colours)]).to.deep.equal([76, 150, 29, 255, 0, 77])
  })
})

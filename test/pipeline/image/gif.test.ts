import { expect } from 'chai'
import { codeOf } from '../../support/broker.ts'
import { gif, pixelsOf } from '../../support/image-files.ts'

const PALETTE = [9, 9, 9, 200, 10, 20, 30, 200, 40, 50, 60, 220]
const FULL = [0, 1, 2, 3, 3, 2, 1, 0, 1, 1, 2, 2, 3, 0, 3, 0]

// As Pillow: a transparent pixel has the colour that is in the palette, and so has the canvas around a smaller frame.
describe('GIF', () => {
  it('gives each pixel its colour of the palette', async () => {
    const file = gif(4, 4, PALETTE, [{ width: 4, height: 4, pixels: FULL }])
    expect(await colours(file)).to.deep.equal(FULL)
  })

  it('gives transparent pixels their colour in the palette, too', async () => {
    const file = gif(4, 4, PALETTE, [{ width: 4, height: 4, pixels: FULL, transparent: 2 }])
    expect(await colours(file)).to.deep.equal(FULL)
  })

  it('fills the canvas around a smaller frame with the first colour', async () => {
    const file = gif(4, 4, PALETTE, [{ left: 1, top: 1, width: 2, height: 2, pixels: [1, 2, 3, 1] }])
    expect(await colours(file)).to.deep.equal([0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 1, 0, 0, 0, 0, 0])
  })

  it('fills it with the transparent colour if there is one', async () => {
    const pixels = [1, 2, 3, 1]
    const file = gif(4, 4, PALETTE, [{ left: 1, top: 1, width: 2, height: 2, pixels, transparent: 2 }])
    expect(await colours(file)).to.deep.equal([2, 2, 2, 2, 2, 1, 2, 2, 2, 3, 1, 2, 2, 2, 2, 2])
  })

  it('enlarges the canvas to a frame that exceeds it', async () => {
    const file = gif(2, 2, PALETTE, [{ left: 1, top: 1, width: 3, height: 3, pixels: FULL.slice(0, 9) }])
    expect(await colours(file)).to.deep.equal([0, 0, 0, 0, 0, 0, 1, 2, 0, 3, 3, 2, 0, 1, 0, 1])
  })

  it('reads only the first of many frames', async () => {
    const first = { width: 4, height: 4, pixels: FULL }
    const others = { width: 4, height: 4, pixels: [...FULL].reverse() }
    const file = gif(4, 4, PALETTE, [first, ...Array.from({ length: 2000 }, () => others)])
    const start = performance.now()
    expect(await colours(file)).to.deep.equal(FULL)
    expect(performance.now() - start).to.be.below(100)
  })

  it('refuses one that ends in its first frame, or has none', async () => {
    const file = gif(4, 4, PALETTE, [{ width: 4, height: 4, pixels: FULL }])
    for (const length of [8, 20, 27, 40]) {
      expect(await codeOf(pixelsOf(file.subarray(0, length), 4, 4))).to.equal('ERR_IMAGE_DECODE')
    }
    expect(await codeOf(pixelsOf(gif(4, 4, PALETTE, []), 4, 4))).to.equal('ERR_IMAGE_DECODE')
  })
})

/** The image of 4 × 4 pixels as indices into the palette. */
async function colours(file: Uint8Array): Promise<number[]> {
  const pixels = await pixelsOf(file, 4, 4)
  return Array.from({ length: 16 }, (_, i) => {
    const pixel = [...pixels.subarray(i * 3, i * 3 + 3)].join()
    return [0, 1, 2, 3].findIndex((colour) => PALETTE.slice(colour * 3, colour * 3 + 3).join() === pixel)
  })
}

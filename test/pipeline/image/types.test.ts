import { expect } from 'chai'
import sharp from 'sharp'
import '../../../pipeline/image/read-image.ts'
import { errorOf } from '../../support/broker.ts'
import { photo, pixelsOf } from '../../support/image-files.ts'

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'

describe('Types of images', () => {
  const refused: [string, string | Buffer, string][] = [
    ['an SVG', SVG, 'an SVG drawing'],
    ['an SVG behind an XML header', `<?xml version="1.0"?>\n<!-- -->\n${SVG}`, 'an SVG drawing'],
    ['an XML document', '<?xml version="1.0"?><a/>', 'an XML document'],
    ['an HTML page', '<!DOCTYPE html><html></html>', 'an HTML page'],
    ['a PDF', '%PDF-1.7\n', 'a PDF document'],
    ['JSON', '{"image":"x"}', 'JSON'],
    ['text', 'BMW is no bitmap', 'text'],
    ['a ZIP archive', Buffer.from('504b030414000000', 'hex'), 'a ZIP archive'],
    ['a HEIC', iso('heic', 'mif1', 'heic'), 'a HEIC image'],
    ['a video', iso('isom', 'iso2', 'mp41'), 'a video'],
    ['a Photoshop document', Buffer.from('3842505300010000', 'hex'), 'a Photoshop document'],
    ['a PNM', 'P6\n1 1\n255\nabc', 'a PNM image'],
    ['nothing', '', 'an empty file'],
    ['one byte', Buffer.of(0xff), 'a file of an unknown type'],
    ['zeros', Buffer.alloc(1000), 'a file of an unknown type'],
  ]
  for (const [what, content, name] of refused) {
    it(`refuses ${what} and says so`, async () => {
      const error = await errorOf(pixelsOf(Buffer.from(content), 4, 4))
      expect(error.code).to.equal('ERR_IMAGE_TYPE')
      expect(error.message).to.contain(`this is ${name}.`)
    })
  }

  it('disables SVG in sharp', async () => {
    expect((await errorOf(sharp(Buffer.from(SVG)).metadata())).message).to.contain('unsupported')
  })

  it('refuses a TIFF of floating point numbers', async () => {
    const file = await photo().toColourspace('scrgb').tiff({ compression: 'none' }).toBuffer()
    expect((await errorOf(pixelsOf(file, 4, 4))).code).to.equal('ERR_IMAGE_TYPE')
  })

  it('reads bytes that are a view of a larger buffer', async () => {
    const file = await photo().png().toBuffer()
    const memory = new Uint8Array(file.length + 20)
    memory.set(file, 7)
    const result = await pixelsOf(memory.subarray(7, 7 + file.length), 40, 30)
    expect(Buffer.compare(result, await pixelsOf(file, 40, 30))).to.equal(0)
  })
})

function iso(...brands: string[]): Buffer {
  const [major = '', ...compatible] = brands
  const box = Buffer.from(`\0\0\0\0ftyp${major}\0\0\0\0${compatible.join('')}`)
  box.writeUInt32BE(box.length)
  return box
}

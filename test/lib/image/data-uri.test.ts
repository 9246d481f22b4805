import { expect } from 'chai'
import { dataUriBytes } from '../../../lib/image/data-uri.ts'

const MOST = 1000
const PNG = Buffer.from('89504e470d0a1a0a00ff7f80', 'hex')
const BASE64 = PNG.toString('base64')

describe('dataUriBytes', () => {
  it('reads base64, whatever the media type is', () => {
    for (const head of [
      'image/png;base64',
      ';base64',
      'image/png;charset=utf-8;base64',
      'text/html;base64',
      'image/png;BASE64',
      'image/png; base64 ',
      `image/png;name=${encodeURIComponent('ä "x".png')};base64`,
    ]) {
      expect(dataUriBytes(`data:${head},${BASE64}`, MOST).equals(PNG), head).to.equal(true)
    }
  })

  it('reads base64 without padding, base64url, and percent-encoded base64', () => {
    const bytes = Buffer.from('fbefbffffe', 'hex')
    for (const text of ['++++//8=', '----__8', '%2B%2B%2B%2B%2F%2F8%3D', '----__8=\n']) {
      const expected = Buffer.from(text.startsWith('%') ? '++++//8=' : text, 'base64')
      expect(dataUriBytes(`data:;base64,${text}`, MOST).equals(expected), text).to.equal(true)
    }
    expect(dataUriBytes(`data:;base64,${bytes.toString('base64url')}`, MOST).equals(bytes)).to.equal(true)
  })

  it('reads other data byte by byte, and keeps a percent sign without a hexadecimal code', () => {
    expect(dataUriBytes('data:,%89PNG%0d%0A%1a%0a', MOST).toString('latin1')).to.equal('\x89PNG\r\n\x1a\n')
    expect(dataUriBytes('data:text/plain,a+b%zz%4%', MOST).toString()).to.equal('a+b%zz%4%')
    expect(dataUriBytes('data:text/plain,a,b', MOST).toString()).to.equal('a,b')
  })

  it('refuses an invalid data URI', () => {
    for (const uri of [
      'data:',
      'data:image/png',
      'data:image/png;base64',
      `data:${'x'.repeat(300)},abc`,
      'data:,',
      'data:;base64,',
      'data:;base64,====',
      'data:;base64,!!!!',
      'data:;base64,AAA!',
      'data:;base64,AAAA!',
      'data:;base64,AAAAA',
      'data:;base64,AA=A',
      'data:;base64,AA AA',
      'data:;base64,%',
      'data:;base64,%ff%fe',
      'data:;base64,AAAäAAA',
    ]) {
      expect(() => dataUriBytes(uri, MOST), uri)
        .to.throw()
        .with.property('code', 'ERR_URL_INVALID')
    }
  })

  it('shows only the beginning of a refused data URI', () => {
    expect(() => dataUriBytes(`data:;base64,${'!'.repeat(5000)}`, MOST))
      .to.throw()
      .with.property('message')
      .with.property('length')
      .lessThan(150)
  })

  it('has a limit in bytes, not in characters', () => {
    const [full, over] = [Buffer.alloc(MOST), Buffer.alloc(MOST + 1)]
    expect(dataUriBytes(`data:;base64,${full.toString('base64')}`, MOST)).to.have.length(MOST)
    expect(dataUriBytes(`data:,${'%00'.repeat(MOST)}`, MOST)).to.have.length(MOST)
    for (const uri of [`data:;base64,${over.toString('base64')}`, `data:,${'%00'.repeat(MOST + 1)}`]) {
      expect(() => dataUriBytes(uri, MOST))
        .to.throw()
        .with.property('code', 'ERR_BODY_TOO_LARGE')
    }
  })

  it('reads megabytes of any kind in little time', () => {
    const size = 4 * 2 ** 20
    const start = performance.now()
    for (const data of ['%41'.repeat(size / 3), 'A'.repeat(size), '%'.repeat(size)]) {
      expect(dataUriBytes(`data:,${data}`, size).length).to.be.greaterThan(0)
    }
    for (const data of ['A'.repeat(size), '%41'.repeat(4 * Math.floor(size / 12))]) {
      expect(dataUriBytes(`data:;base64,${data}`, size).length).to.be.greaterThan(0)
    }
    for (const data of [' '.repeat(size), '='.repeat(size), `${'A'.repeat(size)}!`, `${' '.repeat(size)}A`]) {
      expect(() => dataUriBytes(`data:;base64,${data}`, size)).to.throw()
    }
    // Some 0.2 s; a match for each percent sign took 5 s.
    expect(performance.now() - start).to.be.lessThan(3000)
  })
})

import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { createRecentImages, type RecentImages } from '../../../lib/image/recent-images.ts'

const MB = 2 ** 20

describe('recent images', () => {
  let images: RecentImages
  const open = (uploadMaxBytes: number, uploadTtlMs = 60_000) => {
    images = createRecentImages({ uploadMaxBytes, uploadTtlMs })
    return images
  }
  afterEach(() => images.close())

  it('are found by their file name and by their SHA-256', async () => {
    const bytes = imageOf(1000)
    const put = await open(MB).put(bytes)
    const [md5, sha256] = [hash('md5', bytes), hash('sha256', bytes)]
    expect(put).to.include({ file: `${md5}.gif`, md5, sha256, extension: 'gif', type: 'image/gif' })
    for (const found of [images.get(`${md5}.gif`), images.bySha256(sha256)]) {
      expect(found).to.include({ type: 'image/gif', extension: 'gif', sha256 })
      expect(Buffer.from(found?.bytes ?? []).equals(bytes)).to.equal(true)
    }
    for (const file of ['', md5, `${md5}.png`, `${md5}.gif.gif`, '__proto__', '../x']) {
      expect(images.get(file), file).to.equal(undefined)
    }
  })

  it('are stored once if they are the same', async () => {
    open(5000)
    const bytes = imageOf(2000)
    const [first, second] = await Promise.all([images.put(bytes), images.put(Buffer.from(bytes))])
    expect(first?.file).to.equal(second?.file)
    // Were it kept twice, there would be no room for another.
    await images.put(imageOf(100))
    expect(images.get(first?.file ?? '')).to.not.equal(undefined)
  })

  it('are stored under the SHA-256 that the caller passes', async () => {
    const known = 'f'.repeat(64)
    expect((await open(MB).put(imageOf(100), known))?.sha256).to.equal(known)
    expect(images.bySha256(known)).to.not.equal(undefined)
  })

  it('are only images: other bytes are not kept', async () => {
    expect(await open(MB).put(Buffer.from('<!doctype html>'))).to.equal(undefined)
  })

  it('stay within their bound of bytes: the least recently used image is removed', async () => {
    open(3 * MB)
    const [a, b] = [await images.put(imageOf(MB)), await images.put(imageOf(MB))]
    expect(images.get(a?.file ?? '')).to.not.equal(undefined)
    const c = await images.put(imageOf(MB))
    expect(images.get(b?.file ?? '')).to.equal(undefined)
    expect(images.bySha256(b?.sha256 ?? '')).to.equal(undefined)
    for (const kept of [a, c]) expect(images.get(kept?.file ?? '')).to.not.equal(undefined)
  })

  it('stay within the bound even if tiny: each image counts 1 KB more', async () => {
    open(10_000)
    const put = []
    for (let i = 0; i < 100; i++) put.push(await images.put(imageOf(20)))
    expect(put.filter((image) => images.get(image?.file ?? '') !== undefined)).to.have.length(9)
  })

  it('are not kept if larger than the bound, and then replace no other image', async () => {
    open(MB)
    const small = await images.put(imageOf(1000))
    expect(await images.put(imageOf(MB))).to.equal(undefined)
    expect(images.get(small?.file ?? '')).to.not.equal(undefined)
  })

  it('count with all the memory that they hold', async () => {
    open(MB)
    const body = Buffer.concat([imageOf(200_000), Buffer.alloc(MB)])
    expect(await images.put(body.subarray(0, 200_000))).to.equal(undefined)
    // A small one is copied out of what it was received in.
    const small = await images.put(body.subarray(0, 1000))
    expect(small?.bytes.buffer.byteLength).to.equal(1000)
  })

  it('of the same MD5, which can be made on purpose, are not confused', async () => {
    open(7000)
    const [one, other] = ['a'.repeat(64), 'b'.repeat(64)]
    const bytes = imageOf(2000)
    await images.put(bytes, one)
    const file = (await images.put(bytes, other))?.file ?? ''
    expect([one, other].map((sha256) => images.bySha256(sha256)?.sha256)).to.deep.equal([one, other])
    expect(images.get(file)?.sha256).to.equal(other)
    images.bySha256(other)
    await images.put(imageOf(100))
    expect(images.bySha256(one)).to.equal(undefined)
    expect(images.get(file)?.sha256).to.equal(other)
  })

  it('expire after their time, however often they are read', async () => {
    const put = await open(MB, 200).put(imageOf(1000))
    const end = performance.now() + 150
    while (performance.now() < end) {
      expect(images.get(put?.file ?? '')).to.not.equal(undefined)
      await delay(20)
    }
    await delay(150)
    expect(images.get(put?.file ?? '')).to.equal(undefined)
    expect(images.bySha256(put?.sha256 ?? '')).to.equal(undefined)
  })

  it('are removed by close(), which may be called twice, and no more are kept', async () => {
    const put = await open(MB).put(imageOf(1000))
    const late = images.put(imageOf(300_000))
    images.close()
    images.close()
    expect(images.get(put?.file ?? '')).to.equal(undefined)
    expect(await late).to.equal(undefined)
  })

  it('are freed by a timer that does not keep the process alive', async () => {
    const module = fileURLToPath(new URL('../../../lib/image/recent-images.ts', import.meta.url))
    const code = `
      import { createRecentImages } from ${JSON.stringify(module)}
      const images = createRecentImages({ uploadMaxBytes: 2 ** 28, uploadTtlMs: 1500 })
      const held = () => { gc(); return Math.round(process.memoryUsage().arrayBuffers / 2 ** 20) }
      for (let i = 0; i < 10; i++) {
        const bytes = Buffer.alloc(2 ** 20, i)
        bytes.write('GIF89a')
        await images.put(bytes)
      }
      console.log(held() >= 9)
      const end = Date.now() + 5000
      while (held() >= 4 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50))
      console.log(held() < 4)
      const day = createRecentImages({ uploadMaxBytes: 2 ** 28, uploadTtlMs: 86_400_000 })
      await day.put(Buffer.from('GIF89a'))`
    const args = ['--expose-gc', '--import', 'tsx', '--input-type=module', '-e', code]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 10_000 })
    expect(stdout).to.equal('true\ntrue\n')
  })
})

function imageOf(size: number): Buffer {
  return Buffer.concat([Buffer.from('GIF89a'), randomBytes(size - 6)])
}

function hash(algorithm: string, bytes: Buffer): string {
  return createHash(algorithm).update(bytes).digest('hex')
}

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import sharp from 'sharp'
import type { Service } from './service.ts'

/** More than a megabyte, whatever the compression. */
const LARGE = 1_000_000

/** Uploads a picture of about 2.4 MB: where it is shown again, and its size. */
export async function showNoise({ url }: Service): Promise<{ path: string; bytes: number }> {
  const noise = sharp(randomBytes(1000 * 800 * 3), { raw: { width: 1000, height: 800, channels: 3 } })
  const body = new FormData()
  body.set('file', new Blob([new Uint8Array(await noise.png().toBuffer())]), 'noise.png')
  const page = await (await fetch(url, { method: 'POST', body })).text()
  const [path = ''] = /\/display\/\w+\.png/.exec(page) ?? []
  const shown = await fetch(url + path, { method: 'HEAD' })
  const bytes = Number(shown.headers.get('Content-Length'))
  expect(bytes).to.be.above(LARGE)
  return { path: new URL(shown.url).pathname, bytes }
}

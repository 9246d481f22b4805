import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type DownloadOptions, downloadFile } from '../../../pipeline/weights/download/download.ts'
import { errorOf, until } from '../../support/broker.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import {
  bytesOf,
  md5,
  type ServerBehaviour,
  serveWeights,
  sha256,
  type WeightsServer,
} from '../../support/weights-server.ts'

const CONTENT = bytesOf(600_000)
const BYTES = CONTENT.length
const MD5 = md5(CONTENT)
const ETAG = '"version-1"'

describe('downloadFile', () => {
  let folder: string
  let server: WeightsServer
  let path: string

  beforeEach(() => {
    folder = temporaryFolder()
    path = join(folder, 'weights.h5')
  })
  afterEach(async () => {
    await server?.close()
  })

  async function serve(behaviour: Partial<ServerBehaviour> = {}): Promise<void> {
    server = await serveWeights({ content: CONTENT, etag: ETAG, ...behaviour })
  }
  const download = (options: Partial<DownloadOptions> = {}) =>
    downloadFile({ url: server.url, path, bytes: BYTES, md5: MD5, allowHttp: true, ...options })
  const hasWritten = () =>
    until(
      () => (statSync(`${path}.part`, { throwIfNoEntry: false })?.size ?? 0) > 0,
      25_000,
      'bytes in the part',
    )
  /** A download that was cut off in the middle. */
  async function cut(options: Partial<DownloadOptions> = {}): Promise<number> {
    server.behaviour.cutAfter = 300_000
    server.behaviour.beforeCut = hasWritten
    const { code, message } = await errorOf(download(options))
    expect(code).to.equal('ERR_WEIGHTS_DOWNLOAD')
    server.behaviour.cutAfter = undefined
    const have = readFileSync(`${path}.part`).length
    expect(have, message).to.be.within(1, 300_000)
    server.sent = 0
    return have
  }
  const isWhole = () => expect(readFileSync(path).equals(CONTENT)).to.equal(true)

  it('leaves the file, the file with its hash, and nothing else', async () => {
    await serve()
    await download()
    isWhole()
    expect(readdirSync(folder).sort()).to.deep.equal(['weights.h5', 'weights.h5.checked'])
  })

  it('checks a downloaded file by its SHA-256', async () => {
    await serve()
    const error = await errorOf(download({ md5: undefined, sha256: '0'.repeat(64) }))
    expect(error.message).to.contain(
      `the downloaded file has the SHA-256 ${sha256(CONTENT)} instead of ${'0'.repeat(64)}`,
    )
    await download({ md5: undefined, sha256: sha256(CONTENT) })
    isWhole()
  })

  it('never replaces a file that has appeared in the meantime, and keeps the part', async () => {
    await serve()
    writeFileSync(path, 'the file of the user')
    const { code, message } = await errorOf(download())
    expect(code).to.equal('ERR_WEIGHTS_DOWNLOAD')
    expect(message).to.contain('another file of this name has appeared meanwhile')
    expect(readFileSync(path, 'utf8')).to.equal('the file of the user')
    expect(readFileSync(`${path}.part`).equals(CONTENT)).to.equal(true)
  })

  it('makes the folder, and needs neither size nor hash', async () => {
    await serve({ chunked: true })
    path = join(folder, 'deep', 'er', 'weights.h5')
    await download({ bytes: undefined, md5: undefined })
    isWhole()
  })

  it('reports its progress, at most a few times a second', async () => {
    await serve({ slowMs: 20 })
    const told: [number, string][] = []
    const start = performance.now()
    await download({ onProgress: (...report) => told.push(report) })
    expect(told.length).to.be.within(3, 3 + (performance.now() - start) / 250)
    expect(told.map(([, word]) => word).join('\n')).to.match(
      /^downloading \d+ % of 600 kB, [\d.]+ [kM]B\/s, \d+ s left$/m,
    )
    expect(told.at(-1)).to.deep.equal([1, 'checking 600 kB'])
  })

  it('resumes after a cut connection, but only with the same version', async () => {
    await serve()
    const have = await cut()
    await download()
    isWhole()
    expect(server.requests[1]).to.include({ range: `bytes=${have}-`, 'if-range': ETAG })
    expect(server.sent).to.equal(BYTES - have)
  })

  it('resumes by Last-Modified if there is no strong ETag', async () => {
    const lastModified = 'Wed, 21 Oct 2015 07:28:00 GMT'
    await serve({ etag: 'W/"weak"', lastModified })
    await cut()
    await download()
    isWhole()
    expect(server.requests[1]).to.include({ 'if-range': lastModified })
  })

  it('begins again when the file has changed on the server', async () => {
    await serve()
    await cut({ md5: undefined })
    const changed = bytesOf(BYTES, 2)
    server.behaviour = { content: changed, etag: '"version-2"' }
    await download({ md5: md5(changed) })
    expect(readFileSync(path).equals(changed)).to.equal(true)
  })

  it('begins again if neither a validator nor a hash could show a changed file', async () => {
    await serve({ etag: undefined })
    await cut({ md5: undefined })
    await download({ md5: undefined })
    expect(server.requests[1]?.range).to.equal(undefined)
    isWhole()
  })

  it('begins again with another URL', async () => {
    await serve()
    await cut()
    await download({ url: server.url.replace('/weights.h5', '/mirror/weights.h5') })
    expect(server.requests[1]?.range).to.equal(undefined)
    isWhole()
  })

  it('takes the whole file from a server that ignores ranges', async () => {
    await serve({ ignoresRange: true })
    await cut()
    await download()
    isWhole()
    expect(server.sent).to.equal(BYTES)
  })

  it('sends no request if the part is complete', async () => {
    await serve()
    writeFileSync(`${path}.part`, CONTENT)
    writeFileSync(`${path}.part.from`, JSON.stringify({ url: server.url, validator: ETAG }))
    await download()
    isWhole()
    expect(server.requests).to.have.length(0)
  })

  it('begins again if the part is longer than the file', async () => {
    await serve()
    writeFileSync(`${path}.part`, Buffer.alloc(BYTES + 1))
    writeFileSync(`${path}.part.from`, JSON.stringify({ url: server.url, validator: ETAG }))
    await download({ bytes: undefined })
    isWhole()
    expect(server.requests.map(({ range }) => range)).to.deep.equal([`bytes=${BYTES + 1}-`, undefined])
  })

  it('keeps the part when the connection is cut or cannot be made', async () => {
    await serve()
    const have = await cut()
    await server.close()
    const error = await errorOf(download({ neededBy: 'vgg16' }))
    expect(error).to.include({ code: 'ERR_WEIGHTS_DOWNLOAD', kind: 'network' })
    expect(error.message).to.match(
      /^vgg16 needs weights\.h5 \(600 kB\): it could not be downloaded from http:\/\/127\.0\.0\.1:\d+\/weights\.h5 \(connect ECONNREFUSED .*\)\. Put the file into \/.*, or set WEIGHTS_URL to a mirror\.$/,
    )
    expect(readFileSync(`${path}.part`)).to.have.length(have)
    expect(existsSync(`${path}.lock`)).to.equal(false)
  })

  it('gives up a connection that stalls, and keeps the part', async () => {
    await serve({ stallAfter: 100_000 })
    const error = await errorOf(download({ stallMs: 200 }))
    expect(error).to.include({ code: 'ERR_WEIGHTS_DOWNLOAD', kind: 'network' })
    expect(error.message).to.contain('no byte came for 0.2 s')
    expect(readFileSync(`${path}.part`)).to.have.length(100_000)
  })

  it('removes a part with the wrong hash', async () => {
    await serve({ content: bytesOf(BYTES, 3) })
    const error = await errorOf(download())
    expect(error).to.include({ code: 'ERR_WEIGHTS_DOWNLOAD', kind: 'content' })
    expect(error.message).to.contain(`instead of ${MD5}`)
    expect(readdirSync(folder)).to.deep.equal([])
  })

  it('refuses a file of another size before it is sent', async () => {
    await serve({ content: bytesOf(50_000_000 / 100) })
    const error = await errorOf(download())
    expect(error).to.include({ kind: 'answer' })
    expect(error.message).to.contain('has 500000 bytes instead of 600000')
    expect(readdirSync(folder)).to.deep.equal([])
  })

  it('stops at the first excess byte of a body without a length', async () => {
    await serve({ content: bytesOf(BYTES * 3), chunked: true, slowMs: 1 })
    const error = await errorOf(download({ md5: undefined }))
    expect(error).to.include({ code: 'ERR_WEIGHTS_DOWNLOAD', kind: 'content' })
    expect(server.sent).to.be.lessThan(BYTES * 2)
    expect(readdirSync(folder)).to.deep.equal([])
  })

  it('treats a body without a length that ends early as a cut connection', async () => {
    await serve({ content: CONTENT.subarray(0, 1000), chunked: true })
    const error = await errorOf(download())
    expect(error).to.include({ kind: 'network' })
    expect(error.message).to.contain('after 1000 of 600000 bytes')
  })

  it('refuses a web page, an error status and a compressed answer', async () => {
    await serve({ headers: { 'content-type': 'text/html; charset=utf-8' } })
    expect((await errorOf(download())).message).to.contain('answered with a web page')
    server.behaviour = { content: CONTENT, headers: { 'content-encoding': 'x-own' } }
    expect((await errorOf(download())).message).to.contain('content encoding "x-own"')
    server.behaviour = { content: CONTENT, status: 404 }
    expect((await errorOf(download())).message).to.contain('(the server answered 404 Not Found)')
    expect(server.requests[0]).to.include({ 'accept-encoding': 'identity' })
    expect(readdirSync(folder)).to.deep.equal([])
  })

  it('follows redirects, only to http and https, and only five times', async () => {
    await serve({ location: '/elsewhere.h5' })
    await download()
    isWhole()
    for (const [location, why] of [
      ['file:///etc/passwd', 'file:///etc/passwd is not https'],
      ['http://[', 'redirects to "http://["'],
      ['/weights.h5', 'redirects more than 5 times'],
    ] as const) {
      server.behaviour.location = location
      expect((await errorOf(download())).message).to.contain(why)
    }
  })

  it('refuses http unless it is allowed', async () => {
    await serve()
    expect((await errorOf(download({ allowHttp: false }))).message).to.contain('is not https')
    expect(server.requests).to.have.length(0)
  })

  it('sends the password of a URL as a header, and shows it in no message', async () => {
    await serve({ status: 403 })
    const url = `${server.url.replace('//', '//me:p%40ss@')}?signature=secret`
    const { message } = await errorOf(download({ url }))
    expect(message).to.not.match(/p@ss|p%40ss|secret/)
    expect(server.requests[0]?.authorization).to.equal(`Basic ${btoa('me:p@ss')}`)
  })

  it('sends no request if the disk has too little room', async () => {
    await serve()
    const error = await errorOf(download({ bytes: 2 ** 52 }))
    expect(error).to.include({ code: 'ERR_WEIGHTS_DOWNLOAD', kind: 'disk' })
    expect(error.message).to.match(/\(4503 TB are needed on the disk, and [\d.]+ [MGT]B are free\)/)
    expect(server.requests).to.have.length(0)
  })

  it('rejects with a clear error if the folder cannot be made', async () => {
    await serve()
    writeFileSync(join(folder, 'file'), '')
    expect(await errorOf(download({ path: join(folder, 'file', 'weights.h5') }))).to.include({
      code: 'ERR_WEIGHTS_DOWNLOAD',
      kind: 'disk',
    })
  })

  it('ends with the reason of its signal and keeps the part', async () => {
    await serve({ slowMs: 10 })
    const stop = new AbortController()
    const reason = new Error('enough')
    const error = errorOf(download({ signal: stop.signal }))
    await until(() => existsSync(`${path}.part`), 2000, 'a part')
    stop.abort(reason)
    expect(await error).to.equal(reason)
    expect(readdirSync(folder)).to.include('weights.h5.part').and.not.include('weights.h5.lock')
  })

  it('resumes at once after a process that died while downloading', async () => {
    await serve()
    await cut()
    const dead = spawn(process.execPath, ['-e', ''])
    await new Promise((resolve) => dead.once('exit', resolve))
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: dead.pid, host: hostname(), token: 'x' }))
    const start = performance.now()
    await download()
    expect(performance.now() - start).to.be.lessThan(2000)
    isWhole()
  })

  it('downloads once for several processes, and the next one resumes if the first is killed', async () => {
    await serve({ slowMs: 15 })
    const script = `
      import { downloadFile } from ${JSON.stringify(new URL('../../../pipeline/weights/download/download.ts', import.meta.url).href)}
      await downloadFile(${JSON.stringify({ url: server.url, path, bytes: BYTES, md5: MD5, allowHttp: true })})
    `
    const start = () => spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
    const first = start()
    await until(() => server.sent > 100_000, 10_000, 'the first process downloads')
    const others = [start(), start()]
    const codes = Promise.all(
      others.map((child) => new Promise((resolve) => child.once('exit', (code) => resolve(code)))),
    )
    first.kill('SIGKILL')
    expect(await codes).to.deep.equal([0, 0])
    isWhole()
    expect(server.requests.filter(({ range }) => range !== undefined)).to.have.length(1)
    expect(server.requests).to.have.length(2)
    expect(readdirSync(folder).sort()).to.deep.equal(['weights.h5', 'weights.h5.checked'])
  })
})

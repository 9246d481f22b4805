import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import {
  addressOf,
  type EnsureOptions,
  ensureWeights,
  type WeightsEntry,
} from '../../../pipeline/weights/ensure-weights.ts'
import { errorOf, until } from '../../support/broker.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { bytesOf, md5, serveWeights, sha256, type WeightsServer } from '../../support/weights-server.ts'

const CONTENT = bytesOf(200_000)
const ENTRY: WeightsEntry = {
  name: 'vgg16',
  file: 'weights.h5',
  url: 'https://localhost:1/official/weights.h5',
  bytes: CONTENT.length,
  md5: md5(CONTENT),
}
const { md5: _, ...WITHOUT_MD5 } = ENTRY
// Nothing listens there, and nothing is likely to.
const NOWHERE = 'http://127.0.0.1:9099/'

describe('ensureWeights', () => {
  let folder: string
  let server: WeightsServer | undefined
  let path: string
  let told: [fraction: number, word: string][]
  // Whatever a failed test leaves waiting is ended by it.
  let over: AbortController

  beforeEach(() => {
    folder = temporaryFolder()
    path = join(folder, ENTRY.file)
    told = []
    over = new AbortController()
  })
  afterEach(async () => {
    over.abort()
    await server?.close()
    server = undefined
  })

  const ensure = (options: Partial<EnsureOptions> = {}, entry = ENTRY) =>
    ensureWeights(entry, {
      weightsDir: folder,
      weightsUrl: NOWHERE,
      progress: (...report) => told.push(report),
      signal: over.signal,
      ...options,
    })
  async function mirror(content = CONTENT): Promise<string> {
    server = await serveWeights({ content, etag: '"1"' })
    return server.url.replace('/weights.h5', '')
  }
  const saidWhatIsMissing = () =>
    told.some(([, word]) => word.startsWith('vgg16 needs weights.h5 (200 kB): it'))

  it('takes an existing file, and hashes it only once', async () => {
    writeFileSync(path, CONTENT)
    expect(await ensure()).to.equal(path)
    const memory = readFileSync(`${path}.checked`, 'utf8')
    expect(JSON.parse(memory)).to.include({ md5: ENTRY.md5 })
    // Believed without a look at the file itself.
    writeFileSync(`${path}.checked`, memory.replace(String(ENTRY.md5), 'f'.repeat(32)))
    const error = await errorOf(ensure())
    expect(error.code).to.equal('ERR_MODEL_LOAD')
  })

  it('hashes a file again after a change', async () => {
    writeFileSync(path, CONTENT)
    await ensure()
    const other = bytesOf(CONTENT.length, 2)
    writeFileSync(path, other)
    const error = await errorOf(ensure())
    expect(error.code).to.equal('ERR_MODEL_LOAD')
    expect(error.message).to.contain(`it has the MD5 ${md5(other)} instead of ${ENTRY.md5}`)
  })

  it('takes a file by its SHA-256, and refuses another file', async () => {
    const entry = { ...WITHOUT_MD5, sha256: sha256(CONTENT) }
    writeFileSync(path, CONTENT)
    expect(await ensure({}, entry)).to.equal(path)
    expect(JSON.parse(readFileSync(`${path}.checked`, 'utf8'))).to.include({ sha256: entry.sha256 })
    const other = bytesOf(CONTENT.length, 2)
    writeFileSync(path, other)
    const error = await errorOf(ensure({}, entry))
    expect(error.message).to.contain(`it has the SHA-256 ${sha256(other)} instead of ${entry.sha256}`)
  })

  it('checks only the size if no hash was published', async () => {
    writeFileSync(path, bytesOf(CONTENT.length, 2))
    expect(await ensure({}, WITHOUT_MD5)).to.equal(path)
  })

  it('takes an older version of the same name', async () => {
    const old = bytesOf(1000)
    writeFileSync(path, old)
    expect(await ensure({}, { ...ENTRY, older: [{ bytes: 1000, md5: md5(old) }] })).to.equal(path)
  })

  for (const bytes of [CONTENT.length + 1, CONTENT.length - 1, 5, 0]) {
    it(`neither serves nor replaces a file of ${bytes} bytes, and says both sizes`, async () => {
      writeFileSync(path, bytesOf(bytes))
      const error = await errorOf(ensure({ weightsUrl: await mirror() }))
      expect(error.code).to.equal('ERR_MODEL_LOAD')
      expect(error.message).to.contain(
        `${path} is not the published one: it has ${bytes} bytes instead of 200000`,
      )
      expect(readFileSync(path)).to.have.length(bytes)
      expect(server?.requests).to.deep.equal([])
    })
  }

  it('waits while a file is being copied, says so, and downloads nothing', async () => {
    writeFileSync(path, CONTENT.subarray(0, 50_000))
    const ensured = ensure({ weightsUrl: await mirror() })
    for (let at = 50_000; at < CONTENT.length; at += 50_000) {
      await sleep(500)
      appendFileSync(path, CONTENT.subarray(at, at + 50_000))
    }
    expect(await ensured).to.equal(path)
    expect(told.some(([, word]) => word === 'waiting for the rest of weights.h5')).to.equal(true)
    expect(server?.requests).to.deep.equal([])
  })

  it('downloads a missing file from the mirror', async () => {
    expect(await ensure({ weightsUrl: await mirror() })).to.equal(path)
    expect(readFileSync(path).equals(CONTENT)).to.equal(true)
    expect(told.map(([fraction]) => fraction)).to.satisfy((all: number[]) => all.every((one) => one <= 1))
    expect(JSON.parse(readFileSync(`${path}.checked`, 'utf8'))).to.include({ md5: ENTRY.md5 })
  })

  it('says what is missing, retries, and resumes', async () => {
    const weightsUrl = await mirror()
    if (server) {
      server.behaviour.cutAfter = 100_000
      const size = () => statSync(`${path}.part`, { throwIfNoEntry: false })?.size ?? 0
      server.behaviour.beforeCut = () => until(() => size() > 0, 10_000, 'bytes in the part')
    }
    const ensured = ensure({ weightsUrl, firstPauseMs: 100 })
    await until(() => saidWhatIsMissing(), 10_000, 'the sentence')
    if (server) server.behaviour.cutAfter = undefined
    expect(await ensured).to.equal(path)
    expect(server?.requests[0]?.range).to.equal(undefined)
    expect(server?.requests[1]?.range).to.match(/^bytes=[1-9]\d*-$/)
    expect(told.find(([, word]) => word.startsWith('vgg16 needs'))?.[0]).to.be.within(0.01, 0.5)
  })

  it('takes a file that appears while it waits, once the file is complete', async () => {
    const ensured = ensure()
    let done = false
    void ensured.then(() => (done = true))
    await until(() => saidWhatIsMissing(), 10_000, 'the sentence')
    expect(told.at(-1)?.[1]).to.match(/ \(connect ECONNREFUSED .* Next try in \d+ s\.$/)
    writeFileSync(path, CONTENT.subarray(0, 100_000))
    await sleep(500)
    expect(done).to.equal(false)
    appendFileSync(path, CONTENT.subarray(100_000))
    expect(await until(() => done, 5000, 'the file is picked up')).to.be.lessThan(1000)
    expect(await ensured).to.equal(path)
    expect(existsSync(`${path}.lock`)).to.equal(false)
  })

  it('takes a file without a published hash once it has settled', async () => {
    const ensured = ensure({}, WITHOUT_MD5)
    await until(() => saidWhatIsMissing(), 10_000, 'the sentence')
    writeFileSync(path, CONTENT)
    const start = performance.now()
    expect(await ensured).to.equal(path)
    expect(performance.now() - start).to.be.within(500, 4000)
  })

  it('takes a file that appears during a slow download', async () => {
    const weightsUrl = await mirror()
    if (server) server.behaviour.slowMs = 2000
    const ensured = ensure({ weightsUrl })
    await until(() => existsSync(`${path}.part`), 2000, 'the download has begun')
    writeFileSync(path, CONTENT)
    const start = performance.now()
    await ensured
    expect(performance.now() - start).to.be.lessThan(1500)
    expect(readFileSync(path).equals(CONTENT)).to.equal(true)
  })

  it('does not soon download wrong content again', async () => {
    const weightsUrl = await mirror(bytesOf(CONTENT.length, 2))
    const stop = new AbortController()
    const failed = errorOf(ensure({ weightsUrl, firstPauseMs: 1, signal: stop.signal }))
    await until(() => saidWhatIsMissing(), 10_000, 'the sentence')
    await sleep(300)
    expect(server?.requests).to.have.length(1)
    expect(told.at(-1)?.[1]).to.match(/Next try in (1 h|60 min)\.$/)
    stop.abort(new Error('enough'))
    expect((await failed).message).to.equal('enough')
  })

  it('gives up after the given number of attempts, and at once if a retry cannot help', async () => {
    const error = await errorOf(ensure({ attempts: 2, firstPauseMs: 10 }))
    expect(error.code).to.equal('ERR_WEIGHTS_DOWNLOAD')
    const weightsUrl = await mirror()
    if (server) server.behaviour.status = 404
    expect((await errorOf(ensure({ weightsUrl, attempts: 9 }))).message).to.contain('404')
    expect(server?.requests).to.have.length(1)
  })
})

describe('the URL of weights', () => {
  const addresses: Record<string, string> = {
    '': ENTRY.url,
    'http://mirror': 'http://mirror/weights.h5',
    'https://mirror/a/b/': 'https://mirror/a/b/weights.h5',
    'https://mirror/a?signature=x': 'https://mirror/a/weights.h5?signature=x',
  }
  for (const [mirror, address] of Object.entries(addresses)) {
    it(`is ${address} with the mirror "${mirror}"`, () => {
      expect(addressOf(ENTRY, mirror)).to.equal(address)
    })
  }
})

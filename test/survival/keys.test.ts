import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { fixture, runService, type Service, scripted, startService, until } from '../support/service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const KEYS = ['first-key-0123456789', 'second-key-0123456789', 'third-key-0123456789']
const describeOnLinux = process.platform === 'linux' ? describe : describe.skip

describe('API_KEYS_FILE', () => {
  const file = (text: string) => {
    const path = join(temporaryFolder(), 'keys')
    writeFileSync(path, text)
    return path
  }
  const statusWith = async ({ url }: Service, key: string) =>
    (await fetch(`${url}/metrics`, { headers: { 'X-Api-Key': key } })).status

  it('has keys that are accepted beside those of API_KEYS', async () => {
    const [first = '', second = '', third = ''] = KEYS
    const service = await startService({
      ...scripted({}),
      API_KEYS: third,
      API_KEYS_FILE: file(`${first}\n${second},\n`),
    })
    for (const key of KEYS) expect(await statusWith(service, key), key).to.equal(200)
    expect(await statusWith(service, 'other-key-0123456789')).to.equal(401)
    await service.stop()
  })

  for (const [title, text] of [
    ['is empty', ''],
    ['has a short key', 'too-short'],
    ['has something else', 'a key with spaces that is long enough'],
  ] as const) {
    it(`that ${title} ends the start with one sentence, which does not show the content`, async () => {
      const path = file(text)
      const { code, output } = await runService({ ...scripted({}), API_KEYS_FILE: path })
      expect(code).to.equal(2)
      expect(output).to.match(/^API_KEYS_FILE must name a file with keys of 16 to 256 .*\n$/)
      expect(output).to.contain(path)
      if (text !== '') expect(output).not.to.contain(text)
    })
  }

  it('that does not exist ends the start with one sentence', async () => {
    const { code, output } = await runService({ ...scripted({}), API_KEYS_FILE: '/no/such/file' })
    expect(code).to.equal(2)
    expect(output).to.equal(
      'API_KEYS_FILE must name a file that can be read, but reading "/no/such/file" fails with ENOENT.\n',
    )
  })

  describeOnLinux('from a pipe', () => {
    it('is known to the web process alone: a child finds no key in anything that the system tells of its parent', async () => {
      const [key = ''] = KEYS
      const pipe = join(temporaryFolder(), 'pipe')
      execFileSync('mkfifo', [pipe])
      const starting = startService({
        PIPELINE: fixture('reads-parent.ts'),
        MODELS: 'model',
        API_KEYS_FILE: pipe,
      })
      await until(() => written(pipe, `${key}\n`), 'a reader of the pipe')
      const service = await starting
      await service.ready()
      const headers = { 'X-Api-Key': key }
      const answer = await fetch(`${service.url}/model`, { method: 'POST', headers, body: 'x' })
      const text = await answer.text()
      expect(answer.status).to.equal(200)
      expect(text).to.contain('API_KEYS_FILE=').and.to.contain('StartService')
      expect(text).not.to.contain(key)
      await service.stop()
    })
  })
})

/** Whether a reader was there; opened in any other way, a pipe without a reader would block this process. */
function written(pipe: string, text: string): boolean {
  try {
    const descriptor = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
    writeFileSync(descriptor, text)
    closeSync(descriptor)
    return true
  } catch {
    return false
  }
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { scripted, startService, until } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('a client that disconnects while its call waits', () => {
  it('does not use the model', async () => {
    const record = join(temporaryFolder(), 'predicted')
    const service = await startService({ ...scripted({ predictMs: 300, record }), MAX_BATCH: '1' })
    await service.ready()
    const post = (body: string, signal?: AbortSignal) =>
      fetch(`${service.url}/model`, { method: 'POST', body, ...(signal && { signal }) })

    // One predicts and one is being prepared in the child; those behind them wait in the web process.
    const first = [post('a'), post('b'), post('c')]
    await delay(100)
    const leaving = new AbortController()
    const gone = post('gone', leaving.signal).catch(() => 'left')
    await delay(50)
    const last = post('last')
    await delay(50)
    leaving.abort()
    expect(await gone).to.equal('left')
    await Promise.all([...first, last])

    expect(readFileSync(record, 'utf8').trim().split('\n')).to.deep.equal(['a', 'b', 'c', 'last'])
    await until(
      () => service.logs.some(({ msg, status }) => msg === 'request' && status === 499),
      'the line with 499',
    )
    await service.stop()
  })
})

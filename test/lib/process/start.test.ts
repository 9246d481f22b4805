import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { expect } from 'chai'
import { fromSources } from '../../support/program.ts'
import { runService, scripted, startService } from '../../support/service.ts'

describe('the start', () => {
  it('listens within a second, however long its model takes', async () => {
    const times: number[] = []
    for (const _ of [1, 2, 3, 4, 5]) {
      const service = await startService(scripted({ startMs: 5000 }), [], fromSources('StartService.ts'))
      times.push(service.listenedAfterMs)
      service.process.kill('SIGKILL')
      await service.exit
    }
    // The best of five: a test run has other processes beside this one.
    expect(Math.min(...times)).to.be.lessThan(1000)
  })

  it('answers a taken port with one sentence and status 1, and starts no model', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    const { code, output } = await runService({ ...scripted({}), PORT: String(port) })
    other.close()
    expect(code).to.equal(1)
    expect(output).to.contain(`Port ${port} of 127.0.0.1 is taken`).and.not.to.contain('child started')
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { isAlive, until } from '../support/broker.ts'

describe('A child whose parent is killed with -9', () => {
  for (const doing of ['', 'hang', 'spin', 'busy-pool']) {
    it(`is gone within 2 s while it does "${doing || 'nothing'}"`, async () => {
      const host = fileURLToPath(new URL('../fixtures/broker-host.ts', import.meta.url))
      const parent = spawn(process.execPath, ['--import', 'tsx', host, doing], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [output] = await once(parent.stdout, 'data')
      const pid = Number(output)
      expect(isAlive(pid)).to.equal(true)
      parent.kill('SIGKILL')
      await until(() => !isAlive(pid), 10_000, 'the child is gone')
    })
  }

  it('ignores the signals that a terminal or a service manager sends to the whole group', async () => {
    const host = fileURLToPath(new URL('../fixtures/broker-host.ts', import.meta.url))
    const parent = spawn(process.execPath, ['--import', 'tsx', host], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [output] = await once(parent.stdout, 'data')
    const pid = Number(output)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(isAlive(pid)).to.equal(true)
    parent.kill('SIGKILL')
    await until(() => !isAlive(pid), 10_000, 'the child is gone')
  })
})

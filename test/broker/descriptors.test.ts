import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

const run = promisify(execFile)

describe('A parent without file descriptors', () => {
  it('survives the death of its child, and replaces the child once descriptors are free', async () => {
    const host = fileURLToPath(new URL('../fixtures/descriptor-host.ts', import.meta.url))
    const command = `ulimit -n 120 && exec "${process.execPath}" --import tsx "${host}"`
    const { stdout } = await run('bash', ['-c', command], { timeout: 15_000 })
    expect(stdout.trim().split('\n')).to.deep.equal([
      'without descriptors: restarting',
      'with them again: answered',
    ])
  })
})

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { lockFile } from '../../../pipeline/weights/download/file-lock.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const CONTENDERS = 8
const ROUNDS = 60

describe('The lock of a file', () => {
  it('whose owner has died goes to one of many contenders at a time', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    const dead = JSON.stringify({ pid, host: hostname(), token: 'dead' })
    for (let round = 0; round < ROUNDS; round++) {
      const path = join(temporaryFolder(), 'lock')
      writeFileSync(path, dead)
      // The others give up once one of them has the lock.
      const others = new AbortController()
      const locks = await Promise.allSettled(
        Array.from({ length: CONTENDERS }, async () => {
          const lock = await lockFile(path, { signal: others.signal })
          setTimeout(() => others.abort(), 20)
          return lock
        }),
      )
      const held = locks.flatMap((lock) => (lock.status === 'fulfilled' ? [lock.value] : []))
      expect(held, `round ${round}`).to.have.length(1)
      await held[0]?.release()
      expect(existsSync(path)).to.equal(false)
      expect(readdirSync(dirname(path))).to.deep.equal([])
    }
  })

  it('is taken although a process has died while it removed the lock', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    const path = join(temporaryFolder(), 'lock')
    writeFileSync(path, JSON.stringify({ pid, host: hostname(), token: 'dead' }))
    const guard = `${path}.${createHash('sha256').update('dead').digest('hex').slice(0, 16)}`
    writeFileSync(guard, '')
    const old = new Date(Date.now() - 60_000)
    utimesSync(guard, old, old)
    const lock = await lockFile(path)
    await lock.release()
    expect(readdirSync(dirname(path))).to.deep.equal([])
  })
})

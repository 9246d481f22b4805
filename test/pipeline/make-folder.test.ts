import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { makeFolder } from '../../pipeline/make-folder.ts'
import { codeOf } from '../support/broker.ts'
import { mountFull } from '../support/full-disk.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe('makeFolder', () => {
  let folder = ''
  beforeEach(() => {
    folder = temporaryFolder()
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('makes a folder and those above it, and accepts an existing one', async () => {
    const path = join(folder, 'a', 'b', 'c')
    await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(folder, 'a', 'd'))])
    await makeFolder(path)
    expect([path, join(folder, 'a', 'd')].map((made) => existsSync(made))).to.deep.equal([true, true])
  })

  it('rejects where no folder can be made', async () => {
    writeFileSync(join(folder, 'file'), '')
    expect(await codeOf(makeFolder('/proc/nothing/below'))).to.equal('ENOENT')
    expect(await codeOf(makeFolder(join(folder, 'file')))).to.equal('EEXIST')
    expect(await codeOf(makeFolder(join(folder, 'file', 'a', 'b')))).to.equal('ENOTDIR')
  })

  it('says that a disk is read-only', async function () {
    const disk = mountFull(folder)
    if (disk === undefined) return this.skip()
    try {
      execFileSync('mount', ['-o', 'remount,ro', disk])
      expect(await codeOf(makeFolder(join(disk, 'a', 'b')))).to.equal('EROFS')
    } finally {
      execFileSync('umount', [disk])
    }
  })
})

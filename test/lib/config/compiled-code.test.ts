import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const run = promisify(execFile)
const CACHES = 'enableCompileCache' in module

/** What a process with the settings tells its children about the folder, once the process has ended. */
async function folderFor(role: string, weightsDir: string, env: Record<string, string> = {}) {
  const url = new URL('../../../lib/config/compiled-code.ts', import.meta.url)
  const code = `
    const { keepCompiledCode } = await import(${JSON.stringify(url.href)})
    keepCompiledCode(${JSON.stringify({ role, weightsDir })})
    console.log(process.env.NODE_COMPILE_CACHE ?? '')
  `
  const { NODE_COMPILE_CACHE: _, ...rest } = process.env
  const args = ['--import', 'tsx', '--input-type=module', '-e', code]
  return (await run(process.execPath, args, { env: { ...rest, ...env } })).stdout.trim()
}

describe('the cache of compiled code', () => {
  it('is in the folder of weights, for the process and its children, if Node has one', async () => {
    const weightsDir = temporaryFolder()
    const folder = join(weightsDir, 'compiled', 'code')
    expect(await folderFor('all', weightsDir)).to.equal(CACHES ? folder : '')
    expect(existsSync(folder) && readdirSync(folder).length > 0).to.equal(CACHES)
  })

  it('is not made for a web host, or where the user has chosen another folder', async () => {
    const [weightsDir, other] = [temporaryFolder(), temporaryFolder()]
    expect(await folderFor('web', weightsDir)).to.equal('')
    expect(await folderFor('all', weightsDir, { NODE_COMPILE_CACHE: other })).to.equal(other)
    expect(readdirSync(weightsDir)).to.deep.equal([])
  })

  it('is done without where the folder cannot be written', async () => {
    expect(await folderFor('all', '/dev/null/weights')).to.equal('')
  })
})

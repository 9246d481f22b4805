import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const run = promisify(execFile)

describe('ONNX Runtime', () => {
  for (const module of ['onnx/onnx', 'device/available-devices']) {
    it(`collects nothing when ${module}.ts loads it`, async () => {
      expect(await leftBehindBy(`../../../pipeline/engines/${module}.ts`)).to.deep.equal([])
    })
  }

  it('would leave files behind without the variable', async () => {
    expect(await leftBehindBy('onnxruntime-node')).not.to.deep.equal([])
  })
})

/** The files in the home and the temporary folder of a process that has loaded a module, and then opened a session. */
async function leftBehindBy(module: string): Promise<string[]> {
  const home = temporaryFolder()
  const specifier = module.startsWith('.') ? new URL(module, import.meta.url).href : module
  const script = `
    await import(${JSON.stringify(specifier)})
    const { InferenceSession } = await import('onnxruntime-node')
    await InferenceSession.create(new Uint8Array(8)).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 300))`
  await run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: home, XDG_CACHE_HOME: join(home, '.cache') },
  })
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' })
  // What tsx compiles is cached in the temporary folder as well.
  return files.filter((file) => !file.startsWith('tsx-'))
}

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { temporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

describe('The example of docs/broker.md', () => {
  it('has fewer than 20 lines, and runs exactly as it stands against the packed package', async () => {
    const page = readFileSync(join(root, 'docs/broker.md'), 'utf8')
    const [pipeline = '', main = ''] = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code)
    expect(`${pipeline}${main}`.trim().split('\n').length).to.be.below(20)

    const folder = temporaryFolder()
    await run('npm', ['run', 'build'], { cwd: root })
    const { stdout: packed } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: root,
    })
    const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('[\n')))
    const modules = join(folder, 'node_modules')
    mkdirSync(join(modules, 'tandem-serve'), { recursive: true })
    await run('tar', [
      'xzf',
      join(folder, filename),
      '-C',
      join(modules, 'tandem-serve'),
      '--strip-components=1',
    ])
    // The one package that the Broker needs; all else it imports comes with Node.
    symlinkSync(join(root, 'node_modules/nanoid'), join(modules, 'nanoid'))
    writeFileSync(join(folder, 'words.mjs'), pipeline)
    writeFileSync(join(folder, 'main.mjs'), main)

    const { stdout } = await run(process.execPath, ['main.mjs'], { cwd: folder })
    expect(stdout.trim()).to.equal(/prints `(.*?)`/.exec(page)?.[1])
    expect(existsSync(join(modules, 'tandem-serve/dist/broker/broker.d.ts'))).to.equal(true)
  }).timeout(60_000)
})

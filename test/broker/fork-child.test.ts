import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { childFlags } from '../../broker/fork-child.ts'
import { brokerFor, errorOf } from '../support/broker.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

// Keeps enough objects alive for V8 to enlarge the space as far as it may, and prints its MiB.
const FILL_YOUNG_GENERATION = `
  const kept = []
  for (let at = 0; at < 3e6; at++) kept[at % 400_000] = { at }
  const space = require('node:v8').getHeapSpaceStatistics().find((one) => one.space_name === 'new_space')
  console.log(Math.round(space.space_size / 2 ** 20))`

describe('A forked child', () => {
  it('inherits loaders and limits, but neither the debugger nor code of the command line', () => {
    const flags = [
      '--import',
      'tsx',
      '--inspect=9229',
      '-e',
      'code',
      '--input-type=module',
      '--max-old-space-size=99',
    ]
    expect(childFlags(flags).slice(2)).to.deep.equal(['--import', 'tsx', '--max-old-space-size=99'])
    expect(childFlags(['--eval=code', '-p', 'code', '--stack-size=9']).slice(2)).to.deep.equal([
      '--stack-size=9',
    ])
  })

  it('has a small young generation of a fixed size, unless a flag of the parent says otherwise', async () => {
    const sizeWith = async (flags: readonly string[]) => {
      const { stdout } = await run(process.execPath, [...childFlags(flags), '-e', FILL_YOUNG_GENERATION])
      return Number(stdout)
    }
    expect(await sizeWith([])).to.equal(8)
    expect(await sizeWith(['--max-semi-space-size=16'])).to.be.above(8)
  })

  it('does not run the code of `node -e` again', async () => {
    const code = `
      console.log('once')
      const { Broker } = await import('./broker/broker.ts')
      const broker = new Broker({ pipeline: new URL('./test/fixtures/pipelines/behave.ts', 'file://' + process.cwd() + '/') })
      broker.on('log', ({ line }) => console.log(line))
      await broker.start()
      console.log(await broker.call('predict', { value: 'answered' }))
      await broker.close()`
    const flags = ['--import', 'tsx', '--input-type=module', '-e', code]
    const { stdout } = await run(process.execPath, flags, { cwd: root, timeout: 10_000 })
    expect(stdout).to.equal('once\nanswered\n')
  })

  it('whose pipeline starts a broker on itself is refused before it forks endlessly', async () => {
    const error = await errorOf(brokerFor('starts-itself').start())
    expect(error).to.include({ code: 'ERR_OPTION' })
    expect(error.message).to.match(/nested 2 deep/)
  })
})

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { inheritedFlags } from '../../broker/fork-child.ts'
import { brokerFor, errorOf } from '../support/broker.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

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
    expect(inheritedFlags(flags)).to.deep.equal(['--import', 'tsx', '--max-old-space-size=99'])
    expect(inheritedFlags(['--eval=code', '-p', 'code', '--stack-size=9'])).to.deep.equal(['--stack-size=9'])
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

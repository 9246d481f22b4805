import { createRequire } from 'node:module'
import { expect } from 'chai'
import { runService } from '../../support/service.ts'

describe('the command line', () => {
  it('--help lists all settings, folded to 80 columns, and ends with 0', async () => {
    const { code, output } = await runService({}, ['--help'])
    expect(code).to.equal(0)
    expect(output).to.match(/^ {2}--max-queue-bytes +maximum size/m)
    expect(Math.max(...output.split('\n').map((line) => line.length))).to.be.lessThanOrEqual(80)
  })

  it('--version prints the version of the package', async () => {
    const { version } = createRequire(import.meta.url)('tandem-serve/package.json') as { version: string }
    expect(await runService({}, ['--version'])).to.deep.equal({ code: 0, output: `${version}\n` })
  })

  it('answers a wrong setting with one sentence and status 2', async () => {
    const { code, output } = await runService({ PORT: 'abc' })
    expect(code).to.equal(2)
    expect(output).to.equal('PORT must be a whole number from 0 to 65535, but the environment says "abc".\n')
  })
})

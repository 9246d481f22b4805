import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { startFuzz } from '../../support/fuzz.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('npm run fuzz', function () {
  this.timeout(120_000)

  it('ends with the summary on Ctrl-C, and leaves a corpus', async () => {
    const folder = temporaryFolder()
    const run = startFuzz(['images', '--seconds', '3600'], folder)
    await run.printed('to begin with')
    run.child.kill('SIGINT')
    const { code, stdout, stderr } = await run.end
    expect([code, stderr]).to.deep.equal([0, ''])
    expect(stdout).to.match(/^inputs +\d+ in .* per second; seed \d+, digest \w+$/m)
    expect(stdout)
      .to.match(/^slowest +\d+ ms/m)
      .and.match(/^crashers +0 of 0 inputs with a fault$/m)
    expect(readdirSync(folder)).to.deep.equal(['.fuzz'])
  })

  it('tries one file, and says what came of it', async () => {
    const file = join(temporaryFolder(), 'model.json')
    writeFileSync(file, '{"modelTopology":1}')
    const { code, stdout } = await startFuzz(['weights', '--file', file]).end
    expect(code, stdout).to.equal(0)
    expect(stdout).to.match(/^no harm: ERR_MODEL_\w+ /)
  })

  it('ends with 2 if an option or the file is wrong', async () => {
    const { code, stderr } = await startFuzz(['images', '--file', 'nowhere.png']).end
    expect(code).to.equal(2)
    expect(stderr).to.match(/^--file must be a file that can be read: ENOENT/)
  })
})

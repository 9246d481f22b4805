import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const FOLDER = fileURLToPath(new URL('../../bench/', import.meta.url))
const NAMES = readdirSync(FOLDER)
  .flatMap((file) => /^(.*)\.bench\.ts$/.exec(file)?.[1] ?? [])
  .sort()

interface Result {
  readonly code: number
  readonly out: string
  readonly error: string
}

function bench(...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    const program = ['--import', 'tsx', `${FOLDER}run.ts`, ...args]
    execFile(process.execPath, program, (failure, out, error) => {
      resolve({ code: Number(failure?.code ?? 0), out, error })
    })
  })
}

describe('npm run bench', function () {
  this.timeout(20_000)
  this.slow(3000)

  it('lists every measurement for --help', async () => {
    const { code, out } = await bench('--help')
    expect(code).to.equal(0)
    expect([...out.matchAll(/^npm run bench -- (\w+)/gm)].map(([, name]) => name).sort()).to.deep.equal(NAMES)
  })

  it('describes one measurement, without running it', async () => {
    const { code, out } = await bench('storms', '--help')
    expect(code).to.equal(0)
    expect(out)
      .to.match(/^npm run bench -- storms \[--seconds S\]/)
      .and.not.include('models')
  })

  it('refuses an unknown measurement and an unknown option, with the ones that there are', async () => {
    const [unknown, option] = await Promise.all([bench('storm'), bench('storms', '--sceonds', '1')])
    expect([unknown.code, option.code]).to.deep.equal([2, 2])
    expect(unknown.error).to.match(/^There is no measurement "storm"\.\n\nnpm run bench -- bombs/)
    expect(option.error).to.match(/^Unknown option '--sceonds'.*npm run bench -- storms \[--seconds S\]/s)
  })
})

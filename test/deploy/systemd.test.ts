import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { configOf, deployFile, envFile } from '../support/deploy.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ANALYZE = '/usr/bin/systemd-analyze'
const UNITS = ['tandem-web@.service', 'tandem-model@.service']
const PORT = '2027'

/** Directives that may be given several times keep all their values. */
function directives(unit: string): ReadonlyMap<string, readonly string[]> {
  const lines = deployFile(`systemd/${unit}`)
    .split('\n')
    .filter((line) => line !== '' && !/^[#[]/.test(line))
  const all = new Map<string, string[]>()
  for (const line of lines) {
    const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(line) ?? []
    all.set(name, [...(all.get(name) ?? []), value])
  }
  return all
}

describe('deploy/systemd', () => {
  const env = envFile('systemd/tandem.env.example')
  const start = (unit: string) => {
    const [, program, ...args] = (directives(unit).get('ExecStart')?.[0] ?? '')
      .replaceAll('%i', PORT)
      .split(' ')
    return { program, config: configOf({ name: unit, args, env }) }
  }

  it('starts both roles with settings that are right, on the port behind the @', () => {
    expect(UNITS.map((unit) => start(unit).config.role)).to.deep.equal(['web', 'model'])
    for (const unit of UNITS) {
      expect([start(unit).program, start(unit).config.port]).to.deep.equal([
        'dist/StartService.js',
        Number(PORT),
      ])
    }
  })

  it('gives each role the folder that it writes', () => {
    const folder = (unit: string) => `/var/lib/${directives(unit).get('StateDirectory')?.[0]}`
    const [web = '', model = ''] = UNITS
    expect(folder(web)).to.equal(start(web).config.feedbackDir)
    expect(folder(model)).to.equal(start(model).config.weightsDir)
  })

  it('gives a host time to finish, signals the web process alone, and starts it again for as long as it takes', () => {
    for (const unit of UNITS) {
      const [seconds] = directives(unit).get('TimeoutStopSec') ?? []
      expect(Number(seconds)).to.be.at.least(start(unit).config.drainTimeoutMs / 1000 + 4)
      expect(directives(unit).get('KillMode')).to.deep.equal(['mixed'])
      expect(directives(unit).get('Restart')).to.deep.equal(['always'])
      expect(directives(unit).get('StartLimitIntervalSec')).to.deep.equal(['0'])
      // Wrong settings end the service with 2: test/lib/config has the proof.
      expect(directives(unit).get('RestartPreventExitStatus')).to.deep.equal(['2'])
    }
  })

  it('protects both roles alike', () => {
    const hardening = UNITS.map(
      (unit) => /\nNoNewPrivileges=yes[\s\S]*?\n\n/.exec(deployFile(`systemd/${unit}`))?.[0],
    )
    expect(hardening[1]?.replace(/^#.*\n/gm, '')).to.equal(hardening[0])
  })

  it('has units that systemd understands', async function () {
    if (!existsSync(ANALYZE)) this.skip()
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'units'))
    const paths = UNITS.map((unit) => {
      const path = join(folder, 'units', unit.replace('@', `@${PORT}`))
      // The path of Node differs between machines; systemd-analyze wants to find the program.
      writeFileSync(path, deployFile(`systemd/${unit}`).replace('/usr/bin/node', process.execPath))
      return path
    })
    const verify = (...files: string[]) => promisify(execFile)(ANALYZE, ['verify', '--man=no', ...files])
    const { stdout, stderr } = await verify(...paths)
    expect(stdout + stderr).to.equal('')

    // So that the check is one: a directive that systemd does not know.
    const wrong = join(folder, 'units', 'wrong.service')
    copyFileSync(paths[0] ?? '', wrong)
    writeFileSync(wrong, readFileSync(wrong, 'utf8').replace('KillMode=', 'KilMode='))
    expect((await verify(wrong)).stderr).to.match(/Unknown key.*'KilMode'/)
  })
})

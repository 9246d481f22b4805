import { expect } from 'chai'
import { CommandError } from '../../../scripts/shared/command-error.ts'
import { readArguments } from '../../../scripts/soak/arguments.ts'

describe('The options of the soak test', () => {
  it('are 45 minutes with a kill every 30 s when nothing is asked for', () => {
    expect(readArguments([])).to.deep.equal({
      seconds: 2700,
      killEverySeconds: 30,
      callers: 12,
      models: undefined,
      program: 'StartService.ts',
      report: 'soak-report',
      flags: [],
    })
  })

  it('leave everything after a second -- to the service', () => {
    const plan = readArguments(['--minutes', '5', '--', '--workers', '4', '--help', '--minutes', 'many'])
    expect(plan?.seconds).to.equal(300)
    expect(plan?.flags).to.deep.equal(['--workers', '4', '--help', '--minutes', 'many'])
  })

  it('are explained by --help', () => expect(readArguments(['--help'])).to.equal(undefined))

  const WRONG: [line: string, sentence: string][] = [
    ['--minutes 0', '--minutes must be a number of minutes from 0.1 to 1440, but is "0".'],
    ['--minutes 1441', 'but is "1441".'],
    ['--kill-every 3601', '--kill-every must be a number of seconds from 0 to 3600, but is "3601".'],
    ['--callers 0', '--callers must be a number of callers from 1 to 200, but is "0".'],
    ['--program service', '--program must be a file of JavaScript or TypeScript, but is "service".'],
    ['--report folder/', '--report must be a path without an ending, but is "folder/".'],
    ['--minute 5', 'There is no option --minute; did you mean --minutes?'],
  ]
  for (const [line, sentence] of WRONG) {
    it(`refuse "${line}" with a sentence`, () => {
      const read = () => readArguments(line.split(' '))
      expect(read).to.throw(CommandError, sentence)
    })
  }
})

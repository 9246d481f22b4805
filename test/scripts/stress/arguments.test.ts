import { expect } from 'chai'
import { CommandError } from '../../../scripts/shared/command-error.ts'
import { type Plan, readArguments } from '../../../scripts/stress/arguments.ts'
import { runStress } from '../../support/stress.ts'

const read = (line: string, env: Record<string, string> = {}): Plan => {
  const plan = readArguments(line === '' ? [] : line.split(' '), env)
  if (plan === undefined) throw new Error('the plan is missing')
  return plan
}

function refusalOf(line: string, env: Record<string, string> = {}): string {
  try {
    read(line, env)
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === 2) return error.message
    throw error
  }
  throw new Error(`"${line}" was taken`)
}

describe('The options of the stress test', () => {
  it('are the scenario of the ancestor when nothing is asked for', () => {
    const { levels, think, secondsPerLevel, url, same, key } = read('')
    expect(levels).to.deep.equal([10, 100, 600].map((users) => ({ kind: 'closed', users })))
    expect([think, secondsPerLevel, url.origin, same, key]).to.deep.equal([
      [1, 5],
      120,
      'http://127.0.0.1:2017',
      false,
      undefined,
    ])
  })

  it('put the levels of --users before those of --rate, and leave users out where only --rate is given', () => {
    const open = [
      { kind: 'open', rate: 2.5 },
      { kind: 'open', rate: 20 },
    ]
    expect(read('--rate 2.5,20').levels).to.deep.equal(open)
    expect(read('--rate 2.5,20 --users 3').levels).to.deep.equal([{ kind: 'closed', users: 3 }, ...open])
  })

  it('take a key from the environment', () => {
    expect(read('', { TANDEM_KEY: 'abc=' }).key).to.equal('abc=')
    expect(read('', { TANDEM_KEY: '' }).key).to.equal(undefined)
  })

  const WRONG: [line: string, sentence: string][] = [
    [
      '--users 0',
      '--users must be at most 20 whole numbers from 1 to 5000, with commas between them, but is "0".',
    ],
    ['--users 5001', 'but is "5001".'],
    ['--users 1.5', 'but is "1.5".'],
    ['--users 10,,20', 'but is "10,,20".'],
    [`--users ${Array(21).fill('1').join(',')}`, '--users must be at most 20 whole numbers'],
    [
      '--rate 0.05',
      '--rate must be at most 20 numbers from 0.1 to 2000, with commas between them, but is "0.05".',
    ],
    ['--rate 2001', 'but is "2001".'],
    ['--minutes 0', '--minutes must be a number of minutes from 0.01 to 1440, but is "0".'],
    ['--minutes 1441', 'but is "1441".'],
    ['--timeout 0.5', '--timeout must be a number of seconds from 1 to 3600, but is "0.5".'],
    [
      '--think 5,1',
      '--think must be two numbers of seconds from 0 to 3600, the smaller first, but is "5,1".',
    ],
    ['--think 1', 'but is "1".'],
    ['--think 1,2,3', 'but is "1,2,3".'],
    ['--think 1,3601', 'but is "1,3601".'],
    ['--url ftp://a', '--url must be an http:// or https:// address without a path, but is "ftp://a".'],
    ['--url http://a/b', 'but is "http://a/b".'],
    ['--url http://u:p@a', 'without a path'],
    ['--url nonsense', 'but is "nonsense".'],
    ['--model a&b', '--model must be a name of a-z, 0-9, - and _, but is "a&b".'],
    ['--report folder/', '--report must be a path without an ending, but is "folder/".'],
    ['--same=yes', '--same takes no value, but "yes" came.'],
    ['--model --same', '--model must have a value, but none came.'],
    ['--user 3', 'There is no option --user; did you mean --users?'],
    ['--zzzzzzzz', 'There is no option --zzzzzzzz; --help lists them all.'],
    ['30', 'Options were expected, but "30" came.'],
  ]
  for (const [line, sentence] of WRONG) {
    it(`refuse "${line.slice(0, 30)}" with a sentence`, () => expect(refusalOf(line)).to.include(sentence))
  }

  it('never show a wrong key', () => {
    const message = refusalOf('', { TANDEM_KEY: 'geheim\nX-Evil: 1' })
    expect(message).to.match(/^TANDEM_KEY must be /)
    expect(message).not.to.include('geheim')
  })

  it('end the program with 2, and --help with 0', async () => {
    const [wrong, help] = await Promise.all([runStress(['--users', 'many']), runStress(['--help'])])
    expect([wrong.code, wrong.stdout]).to.deep.equal([2, ''])
    expect(wrong.stderr).to.match(/^--users must be .*, but is "many"\.\n$/)
    expect([help.code, help.stderr]).to.deep.equal([0, ''])
    expect(help.stdout).to.match(/^tandem stress /)
  })

  it('refuse a report in a folder that is not there before anything is sent', async () => {
    const { code, stderr } = await runStress(['--url', 'http://127.0.0.1:1', '--report', '/nowhere/at/all'])
    expect(code).to.equal(2)
    expect(stderr).to.match(/^--report must be a path in a folder that can be written to, .*\n$/)
  })
})

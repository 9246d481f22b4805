import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect } from 'chai'
import { COMMANDS } from '../../../commands.ts'
import { type Command, CommandError, EXIT } from '../../../lib/cli/command.ts'
import { commandHelp } from '../../../lib/cli/command-help.ts'
import { readCommandLine } from '../../../lib/cli/command-line.ts'
import { USAGE } from '../../../scripts/stress/arguments.ts'
import { runCommand } from '../../support/command.ts'
import { ROOT } from '../../support/import-graph.ts'

describe('tandem', () => {
  it('lists its commands, in a few lines', async () => {
    const { code, stdout } = await runCommand('help', [])
    expect(code).to.equal(EXIT.done)
    for (const name of Object.keys(COMMANDS)) expect(stdout).to.match(new RegExp(`^  ${name} +\\w`, 'm'))
    mustFitTheScreen(stdout)
  })

  it('says its version', async () => {
    const { version } = createRequire(import.meta.url)('tandem-serve/package.json') as { version: string }
    expect((await runCommand('--version', [])).stdout).to.equal(`${version}\n`)
  })

  it('refuses an unknown command with one sentence and the nearest name', async () => {
    const wrong = await runCommand('pedict', ['photo.jpg'])
    expect(wrong).to.deep.equal({
      code: EXIT.usage,
      stdout: '',
      stderr: 'There is no command pedict; did you mean tandem predict?\n',
    })
    const flag = await runCommand('--port', ['80'])
    expect(flag.stderr).to.equal('There is no command --port; did you mean tandem serve?\n')
  })

  it('serves with the settings as flags', async () => {
    const { code, stderr } = await runCommand('serve', ['--prot', '80'])
    expect([code, stderr]).to.deep.equal([EXIT.usage, 'There is no flag --prot; did you mean --port?\n'])
  })

  it('says the reason of an error in one sentence, and the stack with --verbose', async () => {
    const args = ['photo.jpg', '--tandem-url', 'http://127.0.0.1:9']
    const short = await runCommand('predict', args)
    expect(short).to.deep.equal({
      code: EXIT.notReady,
      stdout: '',
      stderr: 'http://127.0.0.1:9 does not answer.\n',
    })
    const long = await runCommand('predict', [...args, '--verbose'])
    expect(long.code).to.equal(EXIT.notReady)
    expect(long.stderr).to.contain('    at ').and.contain('caused by')
  })

  it('has a help of each command that fits a screen, with examples', async () => {
    for (const [name, { load }] of Object.entries(COMMANDS)) {
      const command = await load()
      // Has all settings, in groups.
      if (name === 'serve') continue
      const text = 'runArguments' in command ? USAGE : commandHelp(command)
      expect(text, name).to.match(new RegExp(`^tandem ${name}`))
      if (text !== USAGE) expect(text, name).to.contain('Examples\n  ')
      mustFitTheScreen(text)
    }
  })

  it('has its exit codes in docs/command.md', () => {
    const [, section = ''] = readFileSync(join(ROOT, 'docs/command.md'), 'utf8').split(
      '## How a command ends',
    )
    const codes = [...section.matchAll(/^\| (\d+) \| \w/gm)].map(([, code]) => Number(code))
    expect(codes).to.deep.equal(Object.values(EXIT))
  })

  it('has each command and each of its options in docs/command.md or a page that it names', async () => {
    const page = readFileSync(join(ROOT, 'docs/command.md'), 'utf8')
    for (const name of Object.keys(COMMANDS))
      expect(page).to.match(new RegExp(`^\\| \`${name}\` \\| \\w`, 'm'))
    const predict = await COMMANDS.predict?.load()
    for (const option of Object.keys(predict?.options ?? {})) expect(page).to.contain(`\`--${option}`)
  })
})

describe('The command line of a command', () => {
  const command: Command = {
    usage: 'try',
    about: '',
    options: { model: { value: 'NAME', help: '' }, json: { help: '' } },
    takesSettings: true,
    examples: [],
    run: async () => EXIT.done,
  }
  const read = (...args: string[]) => readCommandLine(command, args)

  it('has words, options and settings in any order', () => {
    const { words, options, config } = read(
      'a.png',
      '--port=8080',
      '--json',
      'b.png',
      '--model',
      'x',
      '--',
      '--c',
    )
    expect(words).to.deep.equal(['a.png', 'b.png', '--c'])
    expect({ ...options }).to.deep.equal({ json: true, model: 'x' })
    expect(config.port).to.equal(8080)
  })

  it('has no settings where the command takes none', () => {
    expect(() => readCommandLine({ ...command, takesSettings: false }, ['--port', '80'])).to.throw(
      CommandError,
      'There is no flag --port; --help lists them all.',
    )
  })

  it('begins with one of the subcommands', () => {
    const weights = { ...command, subcommands: { list: '', pull: '' } }
    expect(() => readCommandLine(weights, [])).to.throw(
      'One of list, pull must come first; --help says what each does.',
    )
    expect(() => readCommandLine(weights, ['lst'])).to.throw(
      'The first word must be one of list, pull, but is "lst"; did you mean list?',
    )
    const { words } = readCommandLine({ ...weights, defaultSubcommand: 'pull' }, ['vgg16'])
    expect(words).to.deep.equal(['pull', 'vgg16'])
  })
})

function mustFitTheScreen(text: string): void {
  const lines = text.split('\n')
  expect(lines.length, text).to.be.at.most(24)
  expect(Math.max(...lines.map((line) => line.length)), text).to.be.at.most(80)
}

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { runCommand } from '../../support/command.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const run = promisify(execFile)

describe('tandem completion', () => {
  const folder = temporaryFolder()
  const scriptOf = async (shell: string) => {
    const { code, stdout } = await runCommand('completion', [shell])
    expect(code).to.equal(0)
    const path = join(folder, `tandem.${shell}`)
    writeFileSync(path, stdout)
    return path
  }
  /** The output of a program in a folder with one picture; undefined if the shell is not installed. */
  const inShell = async (shell: string, args: string[]) => {
    writeFileSync(join(folder, 'photo.jpg'), '')
    const options = { cwd: folder, env: { PATH: process.env.PATH ?? '', HOME: folder, TERM: 'dumb' } }
    return run(shell, args, options).then(
      ({ stdout }) => stdout.trim().split('\n'),
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      },
    )
  }

  it('completes commands, flags and subcommands in bash', async function () {
    const script = await scriptOf('bash')
    const completed = async (...words: string[]) => {
      const code = `source ${script}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _tandem; printf '%s\\n' "\${COMPREPLY[@]}"`
      return (await inShell('bash', ['--norc', '-c', code])) ?? this.skip()
    }
    expect(await completed('tandem', '')).to.include.members(['serve', 'predict', 'completion'])
    expect(await completed('tandem', 'pre')).to.deep.equal(['predict'])
    expect(await completed('tandem', 'predict', '--th')).to.deep.equal(['--threshold', '--threads'])
    expect(await completed('tandem', 'weights', 'p')).to.deep.equal(['pull'])
    expect(await completed('tandem', 'stress', '--us')).to.deep.equal(['--users'])
  })

  it('completes commands, flags and subcommands in fish', async function () {
    const script = await scriptOf('fish')
    const completed = async (line: string) => {
      const lines =
        (await inShell('fish', ['--no-config', '-c', `source ${script}; complete -C '${line}'`])) ??
        this.skip()
      return lines.map((text) => text.split('\t')[0])
    }
    expect(await completed('tandem ')).to.include.members(['serve', 'predict', 'completion'])
    expect(await completed('tandem predict --thre')).to.have.members(['--threshold', '--threads'])
    expect(await completed('tandem weights pu')).to.deep.equal(['pull'])
    expect(await completed('tandem predict pho')).to.deep.equal(['photo.jpg'])
    expect(await completed('tandem-serve doc')).to.deep.equal(['doctor'])
  })

  it('completes commands, flags and subcommands in zsh', async function () {
    const script = await scriptOf('zsh')
    // A terminal of zsh's own: it waits for the prompt, types a line, and asks for the list of completions with ^D.
    const shown = async (line: string, wanted: string) => {
      const code = `
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell "autoload -Uz compinit; compinit -u -d ${folder}/dump; source ${script}; LISTMAX=1000; COLUMNS=300; PS1=RE''ADY"
        zpty -r shell out '*READY*'
        zpty -w -n shell $'${line}\\x04'
        all=
        for i in {1..300}; do
          while zpty -r -t shell out; do all+=$out; done
          [[ $all == *${wanted}* ]] && break
          sleep 0.1
        done
        print -r -- "$all"
        zpty -d shell`
      const lines = (await inShell('zsh', ['-f', '-c', code])) ?? this.skip()
      return lines.join('\n')
    }
    expect(await shown('tandem ', 'weights'))
      .to.contain('predict')
      .and.contain('completion')
    expect(await shown('tandem predict --thr', '--threads')).to.contain('--threshold')
    expect(await shown('tandem weights ', 'verify')).to.contain('pull')
  }).timeout(60_000)

  it('refuses another shell', async () => {
    const { code, stderr } = await runCommand('completion', ['tcsh'])
    expect([code, stderr]).to.deep.equal([
      2,
      'The first word must be one of bash, zsh, fish, but is "tcsh"; did you mean bash?\n',
    ])
  })
})

import { flagOf } from '../config/setting-kinds.ts'
import { SETTINGS } from '../config/settings.ts'
import { type Command, EXIT, type OwnCommand, usageError } from './command.ts'
import { COMMON_OPTIONS } from './command-line.ts'
import type { CommandTable } from './main.ts'
import { bashCompletion, type Completed, fishCompletion, zshCompletion } from './shell-scripts.ts'

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

export function completionCommand(commands: CommandTable): Command {
  return {
    usage: 'completion bash | zsh | fish',
    about: 'Writes a script that completes commands, flags and files in a shell.',
    subcommands: {
      bash: 'source <(tandem completion bash), in ~/.bashrc',
      zsh: 'source <(tandem completion zsh), in ~/.zshrc after compinit',
      fish: 'tandem completion fish > ~/.config/fish/completions/tandem.fish',
    },
    options: {},
    takesSettings: false,
    examples: ['source <(tandem completion bash)'],
    async run({ words }) {
      const [shell = ''] = words
      const write = SHELLS[shell as keyof typeof SHELLS]
      if (write === undefined) throw usageError(`completion knows bash, zsh and fish, but not "${shell}".`)
      process.stdout.write(write(await completedOf(commands)))
      return EXIT.done
    },
  }
}

async function completedOf(commands: CommandTable): Promise<readonly Completed[]> {
  const settings = Object.values(SETTINGS).map(({ env, help }) => ({
    name: flagOf(env),
    help,
    takesValue: true,
  }))
  return Promise.all(
    Object.entries(commands).map(async ([name, { about, load }]) => {
      const command: Command | OwnCommand = await load()
      const options = Object.entries({ ...command.options, ...COMMON_OPTIONS })
      const own = options.map(([name, { help, value }]) => ({ name, help, takesValue: value !== undefined }))
      return {
        name,
        about,
        subcommands: 'subcommands' in command ? (command.subcommands ?? {}) : {},
        flags: [...own, ...(command.takesSettings ? settings : [])],
        takesFiles: command.words === 'files',
      }
    }),
  )
}

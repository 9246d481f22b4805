import type { Config } from '../config/config.ts'

/** How a command ends. docs/command.md has the same list. */
export const EXIT = {
  done: 0,
  /** at least one picture, model or check has failed; everything else is done */
  failed: 1,
  /** the command line or a setting is wrong; nothing was done */
  usage: 2,
  /** the model cannot be loaded, or the server does not answer; nothing was done */
  notReady: 3,
  /** ended by Ctrl-C */
  interrupted: 130,
} as const

export interface Option {
  /** the name of the value in help texts; without one, the option is a switch */
  readonly value?: string
  readonly help: string
  /** the possible values, for completion */
  readonly values?: readonly string[]
}

export interface Command {
  /** what follows "tandem", such as "predict photo.jpg [more …]" */
  readonly usage: string
  readonly about: string
  readonly options: Readonly<Record<string, Option>>
  /** the words that may come first, each with what the command does then */
  readonly subcommands?: Readonly<Record<string, string>>
  /** The first word may be left out: then this one is meant. */
  readonly defaultSubcommand?: string
  /** whether the flags of all settings are accepted too */
  readonly takesSettings: boolean
  readonly examples: readonly string[]
  /** what the words are, for completion */
  readonly words?: 'files' | 'models'
  run(line: CommandLine): Promise<number>
}

/** A command that reads its own arguments. */
export interface OwnCommand extends Pick<Command, 'options' | 'takesSettings' | 'words'> {
  runArguments(args: readonly string[]): Promise<number>
}

export interface CommandLine {
  /** the arguments without a flag: files, or names of models */
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, string | true | undefined>>
  /** the settings, for a command that takes them */
  readonly config: Config
}

/** Ends the command with one sentence on standard error. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(message, EXIT.usage)
}

/** For an error that ends the command: the model or the server is not ready. */
export function notReady(error: unknown): CommandError {
  return new CommandError(error instanceof Error ? error.message : String(error), EXIT.notReady, {
    cause: error,
  })
}

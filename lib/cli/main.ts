import { ConfigError } from '../config/config.ts'
import { nearest } from '../config/nearest-word.ts'
import { VERSION } from '../config/version.ts'
import { type Command, CommandError, EXIT, type OwnCommand } from './command.ts'
import { commandHelp, table } from './command-help.ts'
import { readCommandLine } from './command-line.ts'

/** The commands by name. Each is loaded when it is called, so that no command loads the packages of the others. */
export type CommandTable = Readonly<
  Record<string, { readonly about: string; readonly load: () => Promise<Command | OwnCommand> }>
>

/** Runs the command that the first argument names, and gives its exit code. */
export async function main(commands: CommandTable, argv: readonly string[]): Promise<number> {
  const [name, ...args] = argv
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(overview(commands))
    return EXIT.done
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${VERSION}\n`)
    return EXIT.done
  }
  try {
    const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (entry === undefined) throw unknownCommand(name, Object.keys(commands))
    return await runCommand(await entry.load(), args)
  } catch (error) {
    return explain(error, args.includes('--verbose'))
  }
}

async function runCommand(command: Command | OwnCommand, args: readonly string[]): Promise<number> {
  if ('runArguments' in command) return command.runArguments(args)
  // The program that reads the output may stop early, as head does.
  process.stdout.on('error', () => process.exit(EXIT.done))
  process.on('SIGINT', endUnlessOthersDo)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(commandHelp(command))
    return EXIT.done
  }
  return command.run(readCommandLine(command, args))
}

/** A command that has to finish something listens to Ctrl-C itself, once: a second Ctrl-C ends the command here. */
function endUnlessOthersDo(): void {
  if (process.listenerCount('SIGINT') > 1) return
  // Over a half drawn progress bar.
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  process.exit(EXIT.interrupted)
}

/** One sentence; the stack for whoever asks, or for a mistake of ours. */
function explain(error: unknown, isVerbose: boolean): number {
  const isExpected = error instanceof CommandError || error instanceof ConfigError
  const text = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error ? (error.stack ?? text) : text
  const cause =
    error instanceof Error && error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : ''
  process.stderr.write(`${isVerbose || !isExpected ? `${stack}${cause}` : text}\n`)
  if (error instanceof CommandError) return error.exitCode
  return error instanceof ConfigError ? EXIT.usage : EXIT.failed
}

function overview(commands: CommandTable): string {
  const rows = Object.entries(commands).map(([name, { about }]) => [name, about])
  return [
    'tandem COMMAND [options]',
    table(rows),
    'tandem COMMAND --help has the options and examples of a command. In a clone,\n"npm run tandem --" stands for "tandem"; in a project, "npx tandem-serve" does.\n',
  ].join('\n\n')
}

function unknownCommand(name: string, known: readonly string[]): CommandError {
  const near = name.startsWith('-') ? 'serve' : nearest(name, known)
  const hint = near === undefined ? 'tandem --help lists them all.' : `did you mean tandem ${near}?`
  return new CommandError(`There is no command ${name}; ${hint}`, EXIT.usage)
}

/** A fleet on paper: `node --import tsx bench/simulate-fleet.ts --help`. */
import { CommandError, EXIT } from '../scripts/shared/command-error.ts'
import { readArguments, USAGE } from './simulation/arguments.ts'
import { readMeasured } from './simulation/measured.ts'
import { partText } from './simulation/parts.ts'

process.exitCode = main()

function main(): number {
  try {
    const order = readArguments(process.argv.slice(2))
    if (order === undefined) {
      process.stdout.write(USAGE)
      return EXIT.passed
    }
    const measured = readMeasured(order.figures)
    process.stdout.write(`Figures measured on ${measured.machine}\n`)
    for (const part of order.parts) process.stdout.write(`\n${partText(part, order, measured)}\n`)
    return EXIT.passed
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    process.stderr.write(`${error.message}\n`)
    return error.exitCode
  }
}

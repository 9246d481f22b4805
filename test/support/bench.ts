import { fromSources } from './program.ts'
import { type EndOfProgram, startProgram } from './started-program.ts'

/** Runs a program of bench/ to its end. */
export function runBench(program: 'run' | 'simulate-fleet', args: readonly string[]): Promise<EndOfProgram> {
  return startProgram([...fromSources(`bench/${program}.ts`), ...args], { cwd: process.cwd() }).end
}

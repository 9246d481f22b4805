import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Plan } from '../../scripts/fuzz/fuzz.ts'
import { measured } from '../../scripts/fuzz/measure.ts'
import type { Bounds, Examiner, Target } from '../../scripts/fuzz/target.ts'
import { type EndOfProgram, startProgram } from './started-program.ts'
import { temporaryFolder } from './temporary-folder.ts'

const RUN = fileURLToPath(new URL('../../scripts/fuzz/run.ts', import.meta.url))
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

/** Each run of the tests ends after this time, even if inputs are left. */
const WITHIN_MS = 20_000

/** A target in this process: cheap, for inputs that do not end it. */
export function targetHere(examiner: Examiner, bounds: Bounds): Target {
  return {
    async examine(inputs) {
      const results = []
      for (const input of inputs) results.push(await measured(examiner, input, bounds))
      return results
    },
    close: async () => examiner.close?.(),
  }
}

/** What tests of the suite have in common; crashers go into a new folder. */
export function shortPlan(): Pick<
  Plan,
  'seed' | 'maxMs' | 'corpus' | 'crashers' | 'minimiseMs' | 'extension'
> {
  return {
    seed: 2026,
    maxMs: WITHIN_MS,
    corpus: undefined,
    crashers: join(temporaryFolder(), 'crashers'),
    minimiseMs: 2000,
    extension: () => '.bin',
  }
}

export interface FuzzRun {
  readonly child: ChildProcess
  /** Resolves when this text has been printed. */
  printed(text: string): Promise<void>
  readonly end: Promise<EndOfProgram>
}

/** `npm run fuzz` in a process of its own, in a new folder. */
export function startFuzz(args: readonly string[], cwd = temporaryFolder()): FuzzRun {
  const { child, stdout, end } = startProgram(['--import', TSX, RUN, ...args], { cwd })
  const printed = async (text: string) => {
    const early = end.then(({ stderr }) => {
      throw new Error(`the run ended without "${text}": ${stderr}`)
    })
    while (!stdout().includes(text)) await Promise.race([once(child.stdout, 'data'), early])
    early.catch(() => undefined)
  }
  return { child, printed, end }
}

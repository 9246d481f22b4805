import { readFileSync } from 'node:fs'
import { CommandError, EXIT } from '../shared/command-error.ts'
import { endEarly } from '../shared/end-early.ts'
import { type KindName, type Request, readArguments, USAGE } from './arguments.ts'
import { Corpus } from './corpus.ts'
import { fuzz } from './fuzz.ts'
import type { Kind } from './kinds/kind.ts'
import { progressLine, summaryText } from './summary-text.ts'

const FOLDER = '.fuzz'
const MINIMISE_MS = 20_000
const TELL_EVERY_MS = 5000

const say = (text: string) => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)

process.exitCode = await run().catch((error: unknown) => {
  if (!(error instanceof CommandError)) throw error
  process.stderr.write(`${error.message}\n`)
  return error.exitCode
})

/** `npm run fuzz`. Gives the exit code. */
async function run(): Promise<number> {
  const request = readArguments(process.argv.slice(2))
  if (request === undefined) {
    say(USAGE)
    return EXIT.passed
  }
  return request.file === undefined ? many(request) : one(request.kind, request.file)
}

async function many({ kind: name, seconds, inputs, seed: given }: Request): Promise<number> {
  const kind = await kindOf(name)
  const signal = endEarly()
  const { target, seeds } = await kind.open()
  const seed = given ?? Date.now() % 2 ** 32
  const corpus = new Corpus(`${FOLDER}/corpus/${name}`)
  let told = performance.now()
  say(`${seeds.length} inputs to begin with, ${corpus.size} in the corpus; seed ${seed}`)
  try {
    const summary = await fuzz({
      kind: name,
      target,
      formats: kind.formats,
      // With a seed of the user's, nothing but the seed decides what the inputs are.
      seeds: given === undefined ? [...seeds, ...corpus.inputs()] : seeds,
      seed,
      maxInputs: inputs,
      maxMs: seconds * 1000,
      corpus,
      crashers: `${FOLDER}/crashers`,
      minimiseMs: MINIMISE_MS,
      extension: kind.extension,
      signal,
      onProgress(summary) {
        if (performance.now() - told < TELL_EVERY_MS) return
        told = performance.now()
        say(progressLine(summary))
      },
      onCrasher: (line, { cause }) => say(`${cause}\n  ${line}`),
    })
    say(summaryText(summary, seed, corpus.size))
    return summary.faults > 0 ? EXIT.failed : EXIT.passed
  } finally {
    await target.close()
  }
}

async function one(name: KindName, file: string): Promise<number> {
  const input = read(file)
  const { target } = await (await kindOf(name)).open()
  try {
    const [result] = await target.examine([input])
    if (result?.fault) say(`${result.fault.kind}: ${result.fault.cause}\n${result.fault.text}`)
    else say(`no harm: ${result?.outcome}, ${Math.round(result?.ms ?? 0)} ms`)
    return result?.fault ? EXIT.failed : EXIT.passed
  } finally {
    await target.close()
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new CommandError(`--file must be a file that can be read: ${(error as Error).message}.`, EXIT.usage)
  }
}

/** Loaded when needed, since each kind loads libraries of its own. */
async function kindOf(name: KindName): Promise<Kind> {
  switch (name) {
    case 'images':
      return (await import('./kinds/images.ts')).images
    case 'weights':
      return (await import('./kinds/weights.ts')).weights
    case 'http':
      return (await import('./kinds/http.ts')).http
  }
}

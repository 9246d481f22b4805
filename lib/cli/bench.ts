import { pino } from 'pino'
import type { Config } from '../config/config.ts'
import { openTandem } from '../library/open-tandem.ts'
import { readPicture } from '../library/read-picture.ts'
import type { Tandem } from '../library/tandem.ts'
import { chosenModel } from './chosen-model.ts'
import { type Command, type CommandLine, EXIT, notReady, usageError } from './command.ts'
import { table } from './command-help.ts'
import { examplePicture } from './example-picture.ts'
import { picturesNamed } from './picture-words.ts'

const ATTEMPTS = 3
const DEFAULT_SECONDS = 5
const MAX_SECONDS = 600

export const benchCommand: Command = {
  usage: 'bench [photo.jpg …]',
  about:
    'Measures how fast a model answers on this machine, without HTTP: one picture\nafter the other, and as many at a time as keep the model busy. Without words,\nwith a photograph that comes with Tandem.',
  options: {
    model: { value: 'NAME', help: 'a name, name=path or a path; default: the first of MODELS' },
    seconds: { value: 'N', help: `duration of each of the two parts; default ${DEFAULT_SECONDS}` },
    json: { help: 'the figures as JSON' },
  },
  takesSettings: true,
  words: 'files',
  examples: [
    'tandem bench --model mobilenet_v2',
    'tandem bench --model pets=./pets.keras --device cpu photos',
  ],
  run: bench,
}

interface Figures {
  readonly perSecond: number
  readonly medianMs: number
  readonly p99Ms: number
  readonly pictures: number
}

async function bench({ words, options, config }: CommandLine): Promise<number> {
  const seconds = readSeconds(options.seconds)
  const model = chosenModel(typeof options.model === 'string' ? options.model : undefined, config.models)
  if (model === undefined)
    throw usageError(`--model must be a name, name=path or a path, but is "${options.model}".`)
  const names = words.length > 0 ? await picturesNamed(words) : [examplePicture()]
  const pictures = await Promise.all(names.map((name) => readPicture(name, config))).catch(
    (error: unknown) => {
      throw usageError(error instanceof Error ? error.message : String(error))
    },
  )
  // Without the cache of answers, which would answer the second time, and without measurements of the tuner.
  const alone: Config = {
    ...config,
    models: [model],
    spareChildren: 0,
    cacheEntries: 0,
    tuningMs: 0,
    role: 'all',
  }
  const log = pino({ level: 'silent' })
  await using tandem = await openTandem(alone, { log, attempts: ATTEMPTS }).catch((error: unknown) => {
    throw notReady(error)
  })
  const one = await measure(tandem, model.name, pictures, { concurrency: 1, seconds })
  const many = await measure(tandem, model.name, pictures, { concurrency: 'auto', seconds })
  const [{ engine, device } = { engine: null, device: null }] = tandem.models
  if (options.json)
    process.stdout.write(`${JSON.stringify({ model: model.name, engine, device, one, many }, null, 2)}\n`)
  else {
    process.stdout.write(`${model.name} on ${engine ?? 'your pipeline'} ${device ?? ''}\n`)
    process.stdout.write(
      `${table([
        ['one at a time', figureWords(one)],
        ['many at a time', figureWords(many)],
      ])}\n`,
    )
  }
  return EXIT.done
}

async function measure(
  tandem: Tandem,
  model: string,
  pictures: readonly Uint8Array[],
  { concurrency, seconds }: { concurrency: number | 'auto'; seconds: number },
): Promise<Figures> {
  const times: number[] = []
  const begin = performance.now()
  const end = begin + seconds * 1000
  for await (const one of tandem.classifyAll(model, repeated(pictures, end), { concurrency })) {
    if (!one.ok) throw notReady(one.error)
    times.push(one.timing.total)
  }
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(part * times.length))] ?? 0
  const perSecond = times.length / ((performance.now() - begin) / 1000)
  return { perSecond, medianMs: at(0.5), p99Ms: at(0.99), pictures: times.length }
}

function* repeated(pictures: readonly Uint8Array[], end: number): Generator<Uint8Array> {
  do yield* pictures
  while (performance.now() < end)
}

function figureWords({ perSecond, medianMs, p99Ms }: Figures): string {
  return `${perSecond.toFixed(1)} pictures/s, ${medianMs.toFixed(1)} ms in the middle, ${p99Ms.toFixed(1)} ms for 99 %`
}

function readSeconds(text: string | true | undefined): number {
  const seconds = text === undefined ? DEFAULT_SECONDS : Number(text)
  if (seconds > 0 && seconds <= MAX_SECONDS) return seconds
  throw usageError(`--seconds must be a number up to ${MAX_SECONDS}, but is "${text}".`)
}

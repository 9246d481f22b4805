import { resolve } from 'node:path'
import { z } from 'zod'
import type { Config } from '../config/config.ts'
import { readPipelineInfo } from '../models/pipeline-info.ts'
import { askPipeline } from './ask-pipeline.ts'
import { byteWords } from './byte-words.ts'
import { type Command, type CommandLine, EXIT, usageError } from './command.ts'
import { table } from './command-help.ts'
import { tuneAhead } from './tune-ahead.ts'

const Kept = z.object({
  weights: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      path: z.string(),
      bytes: z.number().nullable(),
      have: z.number(),
      note: z.string().optional(),
      compiled: z.array(z.object({ precision: z.string(), bytes: z.number(), tuned: z.boolean() })),
    }),
  ),
  compiled: z.object({ folder: z.string(), models: z.number(), bytes: z.number() }),
})
export type Kept = z.output<typeof Kept>

const SUBCOMMANDS = {
  list: 'what is there, and what is compiled, for which precision',
  pull: 'download the weights of models; without names, of those in MODELS',
  verify: 'compare size and checksum with what was published',
  rm: 'remove the weights of models, and what a download has left',
}

export const weightsCommand: Command = {
  usage: 'weights list | pull [MODEL …] | verify [MODEL …] | rm MODEL …',
  about:
    'Downloads, lists, verifies and removes the weights of models of the catalog.\nAn interrupted download is continued. "tandem weights vgg16" means "pull vgg16".',
  subcommands: SUBCOMMANDS,
  defaultSubcommand: 'pull',
  options: {
    json: { help: 'the list as JSON' },
    tune: { help: 'pull: also measure what is fastest here, as an idle server does' },
  },
  takesSettings: true,
  words: 'models',
  examples: ['tandem weights pull vgg16 mobilenet_v2', 'tandem weights list --weights-dir /srv/weights'],
  run: weights,
}

function weights(line: CommandLine): Promise<number> {
  const [action, ...models] = line.words
  switch (action) {
    case 'list':
      return list(line, models)
    case 'verify':
      return verify(line, models)
    case 'rm':
      return remove(line, models)
    default:
      return pull(line, models)
  }
}

async function list({ config, options }: CommandLine, models: readonly string[]): Promise<number> {
  const kept = await keptWeights(config, 'list', models)
  if (options.json) {
    process.stdout.write(`${JSON.stringify(kept, null, 2)}\n`)
    return EXIT.done
  }
  const cells = kept.weights.map(
    (one) => [one.name, sizeWords(one), compiledWords(one), placeWords(one)] as const,
  )
  const [sizes, forms] = [1, 2].map((at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)))
  const rows = cells.map(([name, size, form, place]) => [
    name,
    `${size.padEnd(sizes ?? 0)}  ${form.padEnd(forms ?? 0)}  ${place}`.trimEnd(),
  ])
  const { folder, models: compiled, bytes } = kept.compiled
  process.stdout.write(`${table(rows)}\n\n${compiled} compiled models, ${byteWords(bytes)}, in ${folder}\n`)
  return EXIT.done
}

function compiledWords({ compiled }: Kept['weights'][number]): string {
  return compiled
    .map(({ precision, bytes, tuned }) => `${precision} ${byteWords(bytes)}${tuned ? ', tuned' : ''}`)
    .join('; ')
}

function placeWords({ state, path, note }: Kept['weights'][number]): string {
  return state === 'absent' ? (note ?? '') : path
}

function sizeWords({ state, bytes, have }: Kept['weights'][number]): string {
  const whole = bytes === null ? 'size unknown' : byteWords(bytes)
  if (state === 'absent') return `–  (${whole})`
  return state === 'part' ? `${byteWords(have)} of ${whole}` : byteWords(have)
}

async function verify({ config }: CommandLine, models: readonly string[]): Promise<number> {
  const { weights } = await keptWeights(config, 'verify', models)
  for (const { name, state, note } of weights) {
    process.stdout.write(`${name}: ${state}${note === undefined ? '' : ` (${note})`}\n`)
  }
  const isBad = ({ state }: Kept['weights'][number]) => state !== 'right' && state !== 'built in'
  return weights.some(isBad) ? EXIT.failed : EXIT.done
}

async function remove({ config }: CommandLine, models: readonly string[]): Promise<number> {
  if (models.length === 0) throw usageError('weights rm needs the name of a model.')
  const { weights } = await keptWeights(config, 'remove', models)
  for (const { name, state } of weights) process.stdout.write(`${name}: ${state}\n`)
  return weights.every(({ state }) => state === 'removed') ? EXIT.done : EXIT.failed
}

/** Downloads with the same code as the pipeline of the server. */
async function pull({ config, options }: CommandLine, models: readonly string[]): Promise<number> {
  const isTuned = options.tune === true
  const listed = config.models.filter(({ path }) => path === undefined || isTuned).map(({ name }) => name)
  let code: number = EXIT.done
  for (const model of new Set(models.length > 0 ? models : listed)) {
    const isOwn = config.models.some(({ name, path }) => name === model && path !== undefined)
    const isThere = isOwn || (await pullOne(model, config))
    if (!isThere || (isTuned && !(await tuneAhead(model, config)))) code = EXIT.failed
  }
  return code
}

async function pullOne(model: string, { weightsDir, weightsUrl }: Config): Promise<boolean> {
  const options = { model, weightsDir: resolve(weightsDir), ...(weightsUrl !== '' && { weightsUrl }) }
  try {
    const info = await askPipeline({ module: 'weights/fetch-weights', name: model, options, isLong: true })
    process.stdout.write(`${model}: ${readPipelineInfo({ info }).path ?? 'ready'}\n`)
    return true
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return false
  }
}

export async function keptWeights(
  { models: served, weightsDir }: Pick<Config, 'models' | 'weightsDir'>,
  action: 'list' | 'verify' | 'remove',
  models: readonly string[] = [],
): Promise<Kept> {
  const options = { weightsDir: resolve(weightsDir), action, models, served }
  return Kept.parse(await askPipeline({ module: 'keep-weights', name: 'weights', options }))
}

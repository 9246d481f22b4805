/** `npm run bench -- NAME`: runs one measurement and prints its tables. */
import { stripVTControlCharacters } from 'node:util'

/** The arguments of each measurement, and what it measures. */
const BENCHES: Readonly<Record<string, readonly [args: string, about: string, help?: 'own']>> = {
  bombs: ['[PHOTOGRAPHS]', 'photographs while image bombs arrive between them, and the cost of the checks'],
  broker: ['', 'a call through the Broker, compared with a bare fork and with piscina'],
  device: ['[MODELS [BATCHES [MS [DEVICES]]]]', 'each device of this machine, alone and behind the service'],
  exported: ['[MODELS [MS]]', 'compiled networks, compared with the graphs that exporters write'],
  families: ['[MODELS]', 'the first start of a network of each family, which compiles, and its memory'],
  fleet: ['[OPTIONS]', 'several hosts behind RabbitMQ; the options are in its own --help', 'own'],
  int8: ['[MODELS [ROUNDS]]', 'models of bytes, compared with the same models of floats'],
  models: ['[MODELS [MS [fp32|int8]]]', 'each model over HTTP, compared with the bare session of the engine'],
  outage: ['[--minutes M] [--rows N]', 'the memory and the pages of a web host while RabbitMQ is away'],
  pages: ['[MS]', 'the pages while 32 callers keep VGG-16 busy'],
  predict: [
    '[MODEL [PICTURES]]',
    'tandem predict over a folder, compared with the bare session of the engine',
  ],
  storms: [
    '[--seconds S] [--every MS,…] [--workers N,…] [--spares N|auto] [--model NAME]',
    'what callers notice when children are killed again and again',
  ],
}
const WRONG_USAGE = 2

const [name = '', ...rest] = process.argv.slice(2)
const isHelp = [name, ...rest].some((arg) => arg === '--help' || arg === '-h')
const hasOwnHelp = Object.hasOwn(BENCHES, name) && BENCHES[name]?.[2] === 'own'
if (isHelp && !hasOwnHelp) {
  console.log(usage(name))
} else if (!Object.hasOwn(BENCHES, name)) {
  refuse(name === '' ? 'Which measurement?' : `There is no measurement "${printable(name)}".`)
} else {
  try {
    await import(new URL(`./${name}.bench.ts`, import.meta.url).href)
  } catch (error) {
    if (!isWrongOption(error)) throw error
    refuse(error.message)
  }
}

function refuse(why: string): void {
  console.error(`${why}\n\n${usage(name)}`)
  process.exitCode = WRONG_USAGE
}

function usage(name: string): string {
  const all = Object.entries(BENCHES)
  const chosen = all.filter(([one]) => one === name)
  const lines = (chosen.length > 0 ? chosen : all).map(
    ([name, [args, about]]) => `npm run bench -- ${`${name} ${args}`.trimEnd()}\n    ${about}`,
  )
  return `${lines.join('\n')}\n\nLists are separated by commas. Close other programs first: a busy machine measures itself.`
}

function isWrongOption(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

function printable(text: string): string {
  return stripVTControlCharacters(text).slice(0, 40)
}

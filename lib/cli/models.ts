import { TandemClient } from '../../client/client.ts'
import { byteWords } from './byte-words.ts'
import { type Command, type CommandLine, EXIT, notReady } from './command.ts'
import { table } from './command-help.ts'
import { keptWeights } from './weights.ts'

export const modelsCommand: Command = {
  usage: 'models',
  about:
    'Lists the models that can be served by name, with the size of their weights.\nIf TANDEM_URL is set, lists the models of that server.',
  options: { json: { help: 'the list as JSON' } },
  takesSettings: true,
  examples: ['tandem models', 'TANDEM_URL=http://gpu-box:2017 tandem models --json'],
  run: ({ config, options }) =>
    config.serverUrl === '' ? listHere(config, options) : listServed(config, options),
}

async function listHere(config: CommandLine['config'], { json }: CommandLine['options']): Promise<number> {
  const { weights } = await keptWeights(config, 'list')
  const rows = weights.map(({ name, state, bytes }) => {
    const size = bytes === null ? 'size unknown' : byteWords(bytes)
    return { name, size, state: state === 'absent' ? 'is downloaded when needed' : state }
  })
  const own = config.models.filter(({ path }) => path !== undefined)
  print(
    json ? weights.map(({ name, state, bytes }) => ({ name, state, bytes })) : undefined,
    table([
      ...rows.map(({ name, size, state }) => [name, `${size.padEnd(13)} ${state}`]),
      ...own.map(({ name, path = '' }) => [name, path]),
    ]),
  )
  return EXIT.done
}

async function listServed(config: CommandLine['config'], { json }: CommandLine['options']): Promise<number> {
  const { serverUrl: url, serverKey: key } = config
  const models = await new TandemClient({ url, ...(key !== '' && { key }) })
    .models()
    .catch((error: unknown) => {
      throw notReady(error)
    })
  print(
    json ? models : undefined,
    table(
      models.map(({ name, state, labels }) => [
        name,
        `${state}${labels === null ? '' : `, ${labels} classes`}`,
      ]),
    ),
  )
  return EXIT.done
}

function print(json: unknown, text: string): void {
  process.stdout.write(`${json === undefined ? text : JSON.stringify(json, null, 2)}\n`)
}

import { TandemClient } from '../../client/client.ts'
import { askPipeline } from './ask-pipeline.ts'
import { catalogText } from './catalog-text.ts'
import { type Command, type CommandLine, EXIT, notReady } from './command.ts'
import { table } from './command-help.ts'

export const modelsCommand: Command = {
  usage: 'models',
  about:
    'Lists the models of the catalog: the size of their images, their parameters, and\nthe size and the address of the file. If TANDEM_URL is set, lists the models of\nthat server.',
  options: { json: { help: 'the list as JSON' } },
  takesSettings: true,
  examples: ['tandem models', 'TANDEM_URL=http://gpu-box:2017 tandem models --json'],
  run: ({ config, options }) =>
    config.serverUrl === '' ? listCatalog(options) : listServed(config, options),
}

async function listCatalog({ json }: CommandLine['options']): Promise<number> {
  const info = await askPipeline({ module: 'weights/list-catalog', name: 'catalog', options: {} })
  print(json ? info : undefined, catalogText(info).trimEnd())
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

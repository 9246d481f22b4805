import { chosenModel } from './chosen-model.ts'
import { type Command, type CommandLine, EXIT, usageError } from './command.ts'
import { picturesNamed } from './picture-words.ts'
import { quantizeAhead } from './quantize-ahead.ts'

const METHODS = ['squares', 'minmax'] as const

export const quantizeCommand: Command = {
  usage: 'quantize MODEL --images FOLDER',
  about:
    'Turns a model into one of bytes (int8), which is faster and serves with\nPRECISION=int8. Some hundred pictures like those that the model will be asked\nfor decide on the scales. Half of them are held back: the model is kept if\nenough of these have the same best class as before. The exit code is 1 if not.',
  options: {
    images: {
      value: 'FOLDER',
      help: "a folder of pictures and folders, or 'folder/*.jpg'",
    },
    dense: { help: 'dense layers alone become bytes' },
    method: {
      value: 'METHOD',
      values: METHODS,
      help: 'of the scales: squares or, to compare, minmax',
    },
    target: {
      value: 'PART',
      help: 'part with the same best class, such as 0.97',
    },
  },
  takesSettings: true,
  words: 'models',
  examples: ['tandem quantize resnet50 --images ./photos', 'tandem quantize vgg16 --images ./photos --dense'],
  run: quantize,
}

async function quantize({ words, options, config }: CommandLine): Promise<number> {
  const [wanted, another] = words
  const { images, method: given = 'squares', dense } = options
  if (wanted === undefined || another !== undefined)
    throw usageError('quantize needs the name or path of one model.')
  if (typeof images !== 'string') throw usageError('quantize needs --images, a folder of pictures.')
  const model = chosenModel(wanted, config.models)
  if (model === undefined)
    throw usageError(`The model must be a name, name=path or a path, but is "${wanted}".`)
  const method = METHODS.find((name) => name === given)
  if (method === undefined) throw usageError(`--method must be squares or minmax, but is "${given}".`)
  const target = options.target === undefined ? config.precisionAgreement : readTarget(options.target)
  const pictures = await picturesNamed([images])
  const work = { config, model, pictures, method, dense: dense === true, target }
  return (await quantizeAhead(work)) ? EXIT.done : EXIT.failed
}

function readTarget(text: string | true): number {
  const part = Number(text)
  if (text !== true && part >= 0 && part <= 1) return part
  throw usageError(`--target must be a number from 0 to 1, but is "${text}".`)
}

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { chosenModel } from './chosen-model.ts'
import { commandLine, refuseCommandLine } from './command-line.ts'
import { expandPattern } from './expand-pattern.ts'
import { quantizeAhead } from './quantize-ahead.ts'

const IMAGE = /\.(avif|bmp|gif|jpe?g|png|tiff?|webp)$/i

const USAGE = `npm run quantize -- model --images folder [--dense] [--method squares] [--target 0.97]

Turns a model into one of bytes (int8), which is two to four times as fast, and serves with PRECISION=int8. Pictures like those that
the model will be asked for decide on the scales; 200 are enough. Half of them are held back, and the model is used only if it gives
enough of these the same best class as before. Layers that make too much noise stay float.

  --images  a folder of pictures, or a pattern such as 'folder/*.jpg'
  --dense   dense layers alone become bytes: "dense": "int8" in the settings of the model
  --method  squares: scales of least squared error. minmax: scales from end to end, as most tools choose them, to compare
  --target  part of the held-back pictures whose best class must stay the same; default: PRECISION_AGREEMENT

The model is a name from the catalog or from MODELS, name=path, or a path. The settings of the server work here too, such as
--weights-dir. The exit code is 1 if the model cannot be quantized, or is not good enough to be used.
`

const { config, words, options } = commandLine(
  { images: 'text', method: 'text', target: 'text', dense: 'switch' },
  USAGE,
)
const [wanted, another] = words
const { images, method = 'squares', dense = false } = options
if (wanted === undefined || another !== undefined || typeof images !== 'string')
  refuseCommandLine(USAGE.trimEnd())
const model =
  chosenModel(wanted, config.models) ??
  refuseCommandLine(`The model must be a name, name=path or a path, but is "${wanted}".`)
if (method !== 'squares' && method !== 'minmax')
  refuseCommandLine(`--method must be squares or minmax, but is "${method}".`)
const target = options.target === undefined ? config.precisionAgreement : readTarget(options.target)

const pictures = await picturesIn(images)
const isMade = await quantizeAhead({ config, model, pictures, method, dense: dense === true, target })
if (!isMade) process.exitCode = 1

async function picturesIn(place: string): Promise<string[]> {
  const isFolder = await stat(place).then(
    (its) => its.isDirectory(),
    () => false,
  )
  const found = await expandPattern(isFolder ? join(place, '*') : place)
  return found.filter((path) => IMAGE.test(path))
}

function readTarget(text: string | true): number {
  const part = Number(text)
  if (text !== true && part >= 0 && part <= 1) return part
  return refuseCommandLine(`--target must be a number from 0 to 1, but is "${text}".`)
}

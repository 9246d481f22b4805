import './no-telemetry.ts'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { drawCurve, type Point } from './curve.ts'
import { readDigits, split } from './digits.ts'
import { report } from './model-card.ts'
import { classifier, mostLikely } from './predict.ts'
import { progressBar } from './progress-bar.ts'
import { train } from './trainer.ts'
import { asWritten, writeModel } from './write-model.ts'

const beside = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

const { values: given } = parseArgs({
  options: {
    data: { type: 'string', default: beside('training/digits/data') },
    out: { type: 'string', default: beside('weights/digits') },
    epochs: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
  },
})
const folder = resolve(given.data)
if (!existsSync(folder)) {
  process.stderr.write(
    `There is no folder ${folder}; name the folder with the images: npm start -- --data <folder>\n`,
  )
  process.exit(1)
}
const digits = readDigits(folder)
const { training, validation } = split(digits)
const epochs = Number(given.epochs)
const seed = Number(given.seed)
const classify = await classifier(digits, validation)
const accuracyOf = (probabilities: Float32Array) =>
  validation.filter((index, row) => mostLikely(probabilities, row) === digits.labels[index]).length /
  validation.length

const points: Point[] = []
const bar = progressBar()
const trained = await train({
  digits,
  indices: training,
  epochs,
  seed,
  progress: (fraction, epoch, loss) => bar.show(fraction, `epoch ${epoch}, loss ${loss.toFixed(4)}`),
  async epoch(number, loss, averaged) {
    const accuracy = accuracyOf(await classify(averaged))
    points.push({ epoch: number, loss, accuracy })
    bar.line(
      `epoch ${number} of ${epochs}: loss ${loss.toFixed(4)}, validation ${(accuracy * 100).toFixed(2)} %`,
    )
  },
})
const final = asWritten(trained)
const probabilities = await classify(final)
writeModel(given.out, final)
report(join(given.out, 'README.md'), { digits, training, validation, probabilities, epochs, seed })
drawCurve(join(given.out, 'validation.svg'), points)
bar.line(
  `written to ${given.out}: ${(accuracyOf(probabilities) * 100).toFixed(2)} % on ${validation.length} images`,
)

import { writeFileSync } from 'node:fs'
import type { Digits } from './digits.ts'
import { CLASSES } from './network.ts'
import { mostLikely } from './predict.ts'

export interface Results {
  readonly digits: Digits
  readonly training: Int32Array
  readonly validation: Int32Array
  /** A row for each image of the validation part. */
  readonly probabilities: Float32Array
  readonly epochs: number
  readonly seed: number
}

/** The model card: what the model is, what it was trained on, how good it is, and how to make it again. */
export function report(file: string, results: Results): void {
  const { training, validation, epochs, seed } = results
  const counts = confusion(results)
  const right = counts.reduce((sum, row, digit) => sum + (row[digit] ?? 0), 0)
  const percent = ((right / validation.length) * 100).toFixed(2)
  const heads = Array.from({ length: CLASSES }, (_, digit) => digit)
  const rows = counts.map(
    (row, digit) => `| **${digit}** | ${row.map((count) => count || '·').join(' | ')} |`,
  )
  writeFileSync(
    file,
    `# Handwritten digits

A small convolutional network that tells handwritten digits, 0 to 9, served by the name \`digits\`. TensorFlow.js layers
format; kernels have 16 bits, everything else 32.

| | |
| --- | --- |
| input | 28 × 28 × 1, 0 to 1, white ink on black, the digit within 20 × 20 with its centre of mass in the middle, as in MNIST |
| output | ten probabilities, 0 to 9 |
| data | MNIST, by Yann LeCun and Corinna Cortes, CC BY-SA 3.0: 8,000 of the 10,000 images of its test set |
| trained on | ${training.length} of them, each differently turned, slanted, scaled, moved, bent, and written with a thinner or thicker pen in each epoch |
| accuracy | **${percent} %** (${right} of ${validation.length}) on the validation part, on which it was not trained |
| licence of these weights | CC BY-SA 3.0, as the data |

The validation part is every eighth image, counted over the images sorted by digit and otherwise in the order of the file.
It was looked at while the shape of the network and the length of training were chosen, never to choose between epochs: the
weights are the averaged ones at the end of ${epochs} epochs, measured as they are in these files. The picture beside this
shows the accuracy after each epoch.

Confusions (rows: what was written; columns: what was said):

| | ${heads.join(' | ')} |
| --- |${' --- |'.repeat(CLASSES)}
${rows.join('\n')}

It knows nothing but single digits: for a letter or two digits it names some digit nonetheless. So does the network for an
empty page, which is why Tandem does not ask it about one: it answers that all ten are equally likely.

## How to make it again

\`\`\`sh
cd training/digits
npm install && npm start
\`\`\`

Seed ${seed}, two threads. On a processor of another kind sums are rounded differently, and the weights come out different
in their last digits, and in the end in all others.
`,
  )
}

function confusion({ digits, validation, probabilities }: Results): number[][] {
  const counts = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0))
  for (const [row, index] of validation.entries()) {
    const its = counts[digits.labels[index] ?? 0] ?? []
    const said = mostLikely(probabilities, row)
    its[said] = (its[said] ?? 0) + 1
  }
  return counts
}

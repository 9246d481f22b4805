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

/** Writes the model card: what the model is, what data it was trained on, how accurate it is, how to train it again. */
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

A small convolutional network that recognizes handwritten digits, 0 to 9, served under the name \`digits\`. The format is
TensorFlow.js layers; kernels have 16 bits, all other weights 32.

| | |
| --- | --- |
| input | 28 × 28 × 1, 0 to 1, white ink on black, the digit within 20 × 20 with its centre of mass in the middle, as in MNIST |
| output | ten probabilities, 0 to 9 |
| data | MNIST, by Yann LeCun and Corinna Cortes, CC BY-SA 3.0: 8,000 of the 10,000 images of its test set |
| trained on | ${training.length} of these images, distorted differently in each epoch: turned, slanted, scaled, moved, bent, with a thinner or thicker pen |
| accuracy | **${percent} %** (${right} of ${validation.length}) on the validation part, on which the network was not trained |
| licence of these weights | CC BY-SA 3.0, like the data |

The validation part is every eighth image, after sorting by digit and then by place in the file. It was used to choose the
shape of the network and the length of training, but not to choose an epoch: the weights are the average at the end of
${epochs} epochs. The accuracy is that of the weights in these files. \`validation.svg\` shows the accuracy after each epoch.

Confusions (rows: the written digit; columns: the predicted digit):

| | ${heads.join(' | ')} |
| --- |${' --- |'.repeat(CLASSES)}
${rows.join('\n')}

The network knows only single digits, and predicts some digit for a letter or for two digits too. Tandem does not run the
network on an empty page, and answers that all ten digits are equally likely.

## How to train it again

\`\`\`sh
cd training/digits
npm install && npm start
\`\`\`

Seed ${seed}, two threads. Another kind of processor rounds sums differently, so the weights differ: at first in their last
digits, in the end in all of them.
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

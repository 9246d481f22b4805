import type { Calls } from '../../broker/broker.ts'
import { progressBar } from './progress-bar.ts'

const LINE_EVERY = 0.05

/** Shows the progress of a model that is loading: a bar on a terminal, lines elsewhere. */
export function showProgress(
  model: string,
  broker: Calls,
  writeLine: (word: string) => void,
  terminal: NodeJS.WriteStream = process.stderr,
): void {
  if (terminal.isTTY) drawBar(model, broker, terminal)
  else writeProgress(broker, writeLine)
}

/** A progress that is a whole sentence says why the model waits, such as for weights that cannot be downloaded. */
export const saysWhyItWaits = (word: string): boolean => word.endsWith('.')

/** `writeLine` gets a line for every 5 %, and for each new kind of work. */
export function writeProgress(broker: Calls, writeLine: (word: string) => void): void {
  let last = ''
  broker.on('progress', ({ fraction, word }) => {
    const step = `${Math.floor(fraction / LINE_EVERY)} ${withoutNumbers(word)}`
    if (step === last) return
    last = step
    writeLine(word)
  })
}

function drawBar(model: string, broker: Calls, terminal: NodeJS.WriteStream): void {
  let isDrawn = false
  let last = ''
  broker.on('progress', ({ fraction, word }) => {
    // A sentence must not be cut. A bar must fit into one line to be redrawn.
    const isSentence = saysWhyItWaits(word)
    const line = `${model} ${progressBar(fraction)} ${word}`.slice(0, Math.max(20, terminal.columns - 1))
    if (!isSentence) terminal.write(`\r\x1b[K${line}`)
    else if (withoutNumbers(word) !== last) terminal.write(`\r\x1b[K${model}: ${word}\n`)
    isDrawn = !isSentence
    last = withoutNumbers(word)
  })
  broker.on('state', () => {
    if (isDrawn) terminal.write('\r\x1b[K')
    isDrawn = false
  })
}

/** "downloading 34 % of 553 MB" and "downloading 35 % of 553 MB" are the same work; so are "9 s left" and "1 min left". */
function withoutNumbers(word: string): string {
  return word.replace(/[\d.]+ ?\w*/g, '')
}

import type { Broker } from '../broker/broker.ts'
import type { Log } from './log.ts'
import { progressBar } from './progress-bar.ts'

const LINE_EVERY = 0.05

/** How far a model is while it loads: a bar that is drawn anew on a terminal, a line every 5 % in a log. */
export function showProgress(model: string, broker: Broker, log: Log, terminal = process.stderr): void {
  if (terminal.isTTY && log.isLevelEnabled('info')) drawBar(model, broker, terminal)
  else logSteps(broker, log)
}

function logSteps(broker: Broker, log: Log): void {
  let lastStep = -1
  let lastWhat = ''
  broker.on('progress', ({ pid, fraction, word }) => {
    const step = Math.floor(fraction / LINE_EVERY)
    // "downloading 34 % of 553 MB" and "downloading 35 % of 553 MB" are the same work.
    const what = word.replace(/\d+/g, '')
    if (step === lastStep && (step > 0 || what === lastWhat)) return
    lastStep = step
    lastWhat = what
    log.info({ pid, fraction }, word)
  })
}

function drawBar(model: string, broker: Broker, terminal: NodeJS.WriteStream): void {
  let drawn = false
  broker.on('progress', ({ fraction, word }) => {
    drawn = true
    const line = `${model} ${progressBar(fraction)} ${word}`
    terminal.write(`\r\x1b[K${line.slice(0, Math.max(20, terminal.columns - 1))}`)
  })
  broker.on('state', () => {
    if (drawn) terminal.write('\r\x1b[K')
    drawn = false
  })
}

import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { brokerOptions } from '../models/brokers.ts'
import { type QuantizeOptions, quantizingBroker } from '../models/improving-broker.ts'
import { showProgress } from '../models/model-progress.ts'
import { notReady } from './command.ts'
import { durationWords } from './duration-words.ts'

export interface QuantizeWork extends QuantizeOptions {
  readonly config: Config
  readonly model: Config['models'][number]
}

/** More pictures make a model hardly better, and take longer. */
const MOST_PICTURES = 2_000

type Answer =
  | { readonly done: false; readonly fraction: number; readonly word: string }
  | { readonly done: true; readonly text: string; readonly folder: string | null }

/** Quantizes a model in a child process, and writes the report. Returns whether the model is good enough to be used. */
export async function quantizeAhead(work: QuantizeWork): Promise<boolean> {
  const { config, model, method, dense, target } = work
  const pictures = evenly(work.pictures, MOST_PICTURES).map((path) => resolve(path))
  await using broker = quantizingBroker(model.name, {
    ...brokerOptions({ ...config, workers: 1 }, model),
    ...{ pictures, method, dense, target },
  })
  const say = (word: string) => process.stderr.write(`${model.name}: ${word}\n`)
  showProgress(model.name, broker, say)
  try {
    await broker.start()
    const began = performance.now()
    const lines = new Lines(say, began)
    let answer: Answer
    do {
      answer = await broker.call<Answer>('step', null)
      if (!answer.done) lines.add(answer.fraction, answer.word)
    } while (!answer.done)
    process.stdout.write(answer.text)
    process.stdout.write(answer.folder === null ? '' : `Written to ${answer.folder}\n`)
    return answer.folder !== null
  } catch (error) {
    // The broker would begin anew.
    broker.kill()
    throw notReady(error)
  }
}

const LINE_EVERY = 0.05

/** A line for each new kind of work, and for every 5 %, with the time that is left. */
class Lines {
  readonly #say: (line: string) => void
  readonly #began: number
  #last = ''

  constructor(say: (line: string) => void, began: number) {
    this.#say = say
    this.#began = began
  }

  add(fraction: number, word: string): void {
    const step = `${Math.floor(fraction / LINE_EVERY)} ${word.replace(/\d+/g, '')}`
    if (step === this.#last) return
    this.#last = step
    const spent = (performance.now() - this.#began) / 1000
    const left = fraction > 0.05 ? `, about ${durationWords((spent / fraction) * (1 - fraction))} left` : ''
    this.#say(`${Math.round(fraction * 100)} % ${word}${left}`)
  }
}

/** Some of a list, spread over all of it. */
function evenly<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list]
  return Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)] as T)
}

import type { Config } from '../config/config.ts'
import { brokerOptions } from '../models/brokers.ts'
import { type TuneAnswer, tuningBroker } from '../models/improving-broker.ts'
import { showProgress } from '../models/model-progress.ts'
import { batchesSentence } from '../models/model-tuning.ts'

/** Tunes a model before the first start, without waiting for an idle moment. Returns whether that has worked. */
export async function tuneAhead(name: string, config: Config): Promise<boolean> {
  const model = config.models.find((choice) => choice.name === name) ?? { name }
  await using broker = tuningBroker(config, name, brokerOptions(config, model))
  const say = (word: string) => process.stderr.write(`${name}: ${word}\n`)
  showProgress(name, broker, say)
  try {
    await broker.start()
    let answer: TuneAnswer
    let said = ''
    do {
      answer = await broker.call('step', { disturbed: false })
      if (!answer.done && answer.word !== said) say(answer.word)
      if (!answer.done) said = answer.word
    } while (!answer.done)
    process.stdout.write(`${name}: ${answer.sentence ?? 'nothing is faster than the direct graph'}\n`)
    if (answer.tuning.batches.length > 0) process.stdout.write(`${name}: ${batchesSentence(answer.tuning)}\n`)
    return true
  } catch (error) {
    // The broker would begin anew.
    broker.kill()
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return false
  }
}

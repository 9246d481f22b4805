import { type ModelAnswer, TandemClient } from '../../client/client.ts'
import type { Config } from '../config/config.ts'
import { inOrder } from '../library/in-order.ts'
import { readPicture } from '../library/read-picture.ts'
import { notReady } from './command.ts'
import { type Asked, failed, type NamedPicture, type Outcome, type Wanted } from './outcome.ts'

/** Enough for the batches of two children, and few enough for a server that others use too. */
const AT_ONCE = 16
/** The most that the server gives: with a threshold, all guesses above it are wanted. */
const MOST_GUESSES = 1000

/** Asks a running server; without a model, its first one. */
export async function askServer(config: Config, model: string | undefined, wanted: Wanted): Promise<Asked> {
  const { serverUrl: url, serverKey: key } = config
  const client = new TandemClient({ url, ...(key !== '' && { key }) })
  const models = await client.models().catch((error: unknown) => {
    throw notReady(error)
  })
  const name = model ?? models[0]?.name
  if (name === undefined) throw notReady(`${url} serves no model.`)
  if (!models.some((served) => served.name === name)) {
    throw notReady(
      `${url} does not serve the model "${name}", but ${models.map(({ name }) => name).join(', ')}.`,
    )
  }
  const left = new AbortController()
  const { threshold, top = threshold === undefined ? undefined : MOST_GUESSES } = wanted
  const options = { ...(top !== undefined && { top }), signal: left.signal }
  const ask = async ({ name: file, picture }: NamedPicture): Promise<Outcome> => {
    try {
      const bytes = await readPicture(picture, config, left.signal)
      return outcome(file, await client.classify(name, bytes, options), threshold)
    } catch (error) {
      return failed(file, name, error)
    }
  }
  return {
    model: name,
    outcomes: (pictures) => inOrder(pictures, AT_ONCE, ask),
    close: async () => left.abort(),
  }
}

function outcome(file: string, answer: ModelAnswer, threshold: number | undefined): Outcome {
  const { model, predictions, prediction, outputs } = answer
  const guesses = predictions?.filter(({ probability }) => threshold === undefined || probability > threshold)
  return { file, model, guesses, value: guesses ?? prediction, outputs }
}

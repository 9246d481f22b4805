import type { Broker } from '../../broker/broker.ts'
import type { Config } from '../config/config.ts'
import type { Context } from '../http/context.ts'
import { type ShownError, unknownModel } from '../http/errors.ts'
import { ownAddress } from '../http/own-address.ts'
import type { Brokers } from '../models/brokers.ts'
import { modelState } from '../models/model-state.ts'
import type { PredictedImage, Watcher } from '../models/predictor.ts'
import { hasDigitPad } from './digit-pad.ts'
import { digitsPage } from './digits-page.ts'
import type { Site } from './layout.ts'
import { type ModelPageData, modelPage } from './model-page.ts'
import type { Result } from './result-card.ts'

/** An address longer than this is a picture itself: it is neither shown again nor put into a command. */
const MAX_SHOWN = 1000

export interface ModelPagesParts {
  readonly brokers: Brokers
  readonly config: Config
  readonly site: Site
}

export interface ModelPages {
  empty(ctx: Context, model: string): string
  /** From now on a browser is shown what goes wrong on this page, with the address that it gave still in the form. */
  watch(ctx: Context, model: string): Watcher
  withResult(ctx: Context, model: string, predicted: PredictedImage, answer: object): string
}

/** The page of a model: by itself, with an answer on it, or with what went wrong. */
export function modelPages({ brokers, config, site }: ModelPagesParts): ModelPages {
  const brokerOf = (model: string): Broker => {
    const broker = brokers.get(model)
    if (broker === undefined) throw unknownModel(model)
    return broker
  }
  const common = (ctx: Context, model: string) => ({
    path: ctx.path,
    origin: ownAddress(ctx),
    model: modelState(model, brokerOf(model)),
    models: [...brokers.keys()],
    maxBytes: config.maxBodyBytes,
    needsKey: config.apiKeys.length > 0,
  })
  const pageOf = (data: ModelPageData) =>
    hasDigitPad(config, data.model.name) ? digitsPage(site, data) : modelPage(site, data)
  return {
    empty: (ctx, model) => pageOf(common(ctx, model)),
    watch(ctx, model) {
      let url = ''
      ctx.state.errorPage = (error) =>
        pageOf({ ...common(ctx, model), url: shown(url), problem: { ...error, message: sentence(error) } })
      return {
        downloading(given) {
          url = given
        },
        position: () => {},
      }
    },
    withResult(ctx, model, predicted, answer) {
      const url = shown(predicted.sent.url)
      const result = toResult(ctx, predicted, answer, url)
      return pageOf({ ...common(ctx, model), url, result })
    },
  }
}

function toResult(ctx: Context, { answer, stored }: PredictedImage, json: object, url: string): Result {
  return {
    name: url === '' ? 'The picture that you sent' : url,
    image: stored && `/uploads/${stored.file}`,
    guesses: answer.guesses,
    timing: answer.timing,
    answer: json,
    model: answer.model,
    id: ctx.state.requestId,
    curl: curl(ownAddress(ctx) + ctx.path, url),
  }
}

function curl(address: string, url: string): string {
  if (url === '') return `curl --data-binary @photo.jpg ${address}`
  return `curl --data-urlencode ${quoted(`url=${url}`)} ${address}`
}

/** As one word of a shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function shown(url: string): string {
  return url.length > MAX_SHOWN ? '' : url
}

/** Who fills in a form knows nothing of fields and bodies. */
function sentence({ code, message }: ShownError): string {
  if (code === 'ERR_INPUT_MISSING')
    return 'There is no picture yet: choose a file, or give the address of one.'
  return message
}

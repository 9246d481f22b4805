import type { Calls } from '../../broker/broker.ts'
import type { Config } from '../config/config.ts'
import type { Context } from '../http/context.ts'
import { type ShownError, unknownModel } from '../http/errors.ts'
import { ownAddress } from '../http/own-address.ts'
import type { Brokers } from '../models/brokers.ts'
import { inputSentence } from '../models/model-input.ts'
import { outputSentence } from '../models/model-output.ts'
import { modelState } from '../models/model-state.ts'
import { standIns } from '../models/model-subject.ts'
import { type PipelineInfos, readPipelineInfo } from '../models/pipeline-info.ts'
import type { PredictedImage, Watcher } from '../models/predictor.ts'
import { hasDigitPad } from './digit-pad.ts'
import { digitsPage } from './digits-page.ts'
import type { Site } from './layout.ts'
import { type ModelPageData, modelPage } from './model-page.ts'
import type { Result } from './result-card.ts'

/** A longer URL is a data URI with the picture itself, which neither the form nor a command should show. */
const MAX_SHOWN = 1000

export interface ModelPagesParts {
  readonly brokers: Brokers
  readonly config: Config
  readonly pipelineInfos: PipelineInfos
  readonly site: Site
}

export interface ModelPages {
  empty(ctx: Context, model: string): string
  /** From now on, a browser gets errors on this page, and the form still holds the URL that the user entered. */
  watch(ctx: Context, model: string): Watcher
  withResult(ctx: Context, model: string, predicted: PredictedImage, answer: object): string
}

/** The page of a model: empty, with an answer, or with an error. */
export function modelPages({ brokers, config, pipelineInfos, site }: ModelPagesParts): ModelPages {
  const brokerOf = (model: string): Calls => {
    const broker = brokers.get(model)
    if (broker === undefined) throw unknownModel(model)
    return broker
  }
  const common = (ctx: Context, model: string) => ({
    path: ctx.path,
    origin: ownAddress(ctx),
    model: modelState(model, brokerOf(model)),
    about: aboutOf(brokerOf(model)),
    standIns: standInsFor(model),
    models: [...brokers.keys()],
    maxBytes: config.maxBodyBytes,
    needsKey: config.apiKeys.length > 0,
  })
  const standInsFor = (model: string) => {
    const names = config.pipeline === '' ? standIns(brokers, pipelineInfos, model) : []
    const found = names.map((name) => ({ name, isReady: brokerOf(name).stats().state === 'ready' }))
    return found.sort((a, b) => Number(b.isReady) - Number(a.isReady))
  }
  const aboutOf = (broker: Calls) => {
    const { input, output, subject } = readPipelineInfo(broker.stats())
    return [input && inputSentence(input, subject), output && outputSentence(output)]
      .filter((sentence) => sentence !== null)
      .join(' ')
  }
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

function toResult(
  ctx: Context,
  { answer, stored, reportId }: PredictedImage,
  json: object,
  url: string,
): Result {
  return {
    name: url === '' ? 'Your picture' : url,
    image: stored && `/uploads/${stored.file}`,
    guesses: answer.guesses,
    timing: answer.timing,
    answer: json,
    model: answer.model,
    id: reportId,
    curl: curl(ownAddress(ctx) + ctx.path, url),
  }
}

function curl(address: string, url: string): string {
  if (url === '') return `curl --data-binary @photo.jpg ${address}`
  return `curl --data-urlencode ${quoted(`url=${url}`)} ${address}`
}

/** Quoted, so that a shell takes any text as one word. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function shown(url: string): string {
  return url.length > MAX_SHOWN ? '' : url
}

/** The message for programs speaks of fields and bodies, which the user of a form does not know. */
function sentence({ code, message }: ShownError): string {
  if (code === 'ERR_INPUT_MISSING')
    return 'No picture was sent. Choose a file, or enter the URL of a picture.'
  return message
}

import type { Config } from '../config/config.ts'
import { SETTINGS } from '../config/settings.ts'
import type { Dialect } from '../http/dialect.ts'
import { HttpError } from '../http/errors.ts'
import type { Brokers } from './brokers.ts'
import { hasClasses, isForDigits } from './model-subject.ts'
import type { PipelineInfos } from './pipeline-info.ts'

type Choosing = Pick<Dialect, 'setting' | 'originalModel' | 'subject'>

/** The model of each dialect, for requests that name no model. */
export interface DialectModels {
  /** undefined if no served model fits the dialect */
  of(dialect: Choosing): string | undefined
  mustHave(dialect: Choosing): string
}

const DIGITS = '0123456789'

/**
 * The model that the setting names; else the original model, if served; else the first model for the same subject,
 * because a network for digits gives nonsense for a photograph. The child reports the subject of a model when ready;
 * until then, the name decides.
 *
 * A model that has failed is passed over if another model fits. The original model is passed over only after a permanent
 * error: clients expect the answers of the original model, and a retry may bring the original model back at any moment.
 */
export function createDialectModels(
  config: Pick<Config, 'models' | 'pipeline' | Choosing['setting']>,
  brokers: Brokers,
  infos: PipelineInfos,
): DialectModels {
  const served = config.models.map(({ name }) => name)

  const readsDigits = (name: string) => isForDigits(infos, name)
  const canReadDigits = (name: string) => {
    const labels = infos.of(name)?.labels ?? []
    // The user's own pipeline may report no labels; then the user has chosen the pipeline for all routes.
    const isSilent = config.pipeline !== '' && labels.length === 0
    return readsDigits(name) || isSilent || labels.join('') === DIGITS
  }

  const isPassedOver = (name: string, originalModel: string) => {
    const stats = brokers.get(name)?.stats()
    if (stats?.state !== 'failed') return false
    return name !== originalModel || stats.error?.permanent === true
  }

  function of({ setting, originalModel, subject }: Choosing): string | undefined {
    if (config[setting] !== '') return config[setting]
    const fits = subject === 'digit' ? canReadDigits : (name: string) => !readsDigits(name)
    const fitting = served.filter((name) => hasClasses(infos, name) && fits(name))
    const choose = (names: readonly string[]) =>
      names.find((name) => name === originalModel) ?? names.find(readsDigits) ?? names[0]
    return choose(fitting.filter((name) => !isPassedOver(name, originalModel))) ?? choose(fitting)
  }

  return {
    of,
    mustHave(dialect) {
      const model = of(dialect)
      if (model === undefined) throw new HttpError('ERR_MODEL_NONE', noModelFor(dialect))
      return model
    },
  }
}

/** Says why a dialect cannot answer, and which settings help. */
export function noModelFor({ setting, originalModel, subject }: Choosing): string {
  const what = subject === 'digit' ? 'digits' : 'photographs'
  return (
    `No model for ${what} is served here: MODELS must have one, such as ${originalModel}, or ` +
    `${SETTINGS[setting].env} must name the model to use.`
  )
}

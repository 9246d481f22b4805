import type { Config } from '../config/config.ts'
import { SETTINGS } from '../config/settings.ts'
import type { Dialect } from '../http/dialect.ts'
import { HttpError } from '../http/errors.ts'
import type { PipelineInfos } from './pipeline-info.ts'

type Choosing = Pick<Dialect, 'setting' | 'originalModel' | 'subject'>

/** The model behind each route that does not name one. */
export interface DialectModels {
  /** undefined where no served model can answer for the dialect */
  of(dialect: Choosing): string | undefined
  mustHave(dialect: Choosing): string
}

/** The built-in network that tells digits apart: known by its name before its child says so. */
const DIGIT_MODEL = 'digits'
const DIGITS = '0123456789'

/**
 * As set; else the original's, where it is served; else the first that looks at the same things: a digit network says
 * something about every photograph, and nothing that is true. What a model looks at is known by its name, and from its
 * child as soon as one was ready.
 */
export function createDialectModels(
  config: Pick<Config, 'models' | 'pipeline' | Choosing['setting']>,
  infos: PipelineInfos,
): DialectModels {
  const served = config.models.map(({ name }) => name)

  const isForDigits = (name: string) => (infos.of(name)?.subject ?? subjectOf(name)) === 'digit'
  const canReadDigits = (name: string) => {
    const labels = infos.of(name)?.labels ?? []
    // A pipeline of the user's own may keep to itself what it knows; then the user has chosen it for all routes.
    const isSilent = config.pipeline !== '' && labels.length === 0
    return isForDigits(name) || isSilent || labels.join('') === DIGITS
  }

  function of({ setting, originalModel, subject }: Choosing): string | undefined {
    if (config[setting] !== '') return config[setting]
    const fits = subject === 'digit' ? canReadDigits : (name: string) => !isForDigits(name)
    const fitting = served.filter(fits)
    return fitting.find((name) => name === originalModel) ?? fitting.find(isForDigits) ?? fitting[0]
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

/** Why a dialect cannot answer, and which settings change that. */
export function noModelFor({ setting, originalModel, subject }: Choosing): string {
  const what = subject === 'digit' ? 'digits' : 'photographs'
  return (
    `No model for ${what} is served here: MODELS must have one, such as ${originalModel}, or ` +
    `${SETTINGS[setting].env} must name the model to use.`
  )
}

function subjectOf(name: string): string | null {
  return name === DIGIT_MODEL ? 'digit' : null
}

import type { Config } from '../config/config.ts'

/** Which models are shown with a pad to draw on: the one of that name, and the one that answers for it. */
export function hasDigitPad({ digitsModel }: Pick<Config, 'digitsModel'>, model: string): boolean {
  return model === 'digits' || model === digitsModel
}

/** The one that the navigation of the pages leads to. */
export function padModel(config: Pick<Config, 'digitsModel' | 'models'>): string | undefined {
  const served = config.models.map(({ name }) => name)
  return (
    served.find((name) => name === config.digitsModel) ?? served.find((name) => hasDigitPad(config, name))
  )
}

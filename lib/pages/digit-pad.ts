import type { Config } from '../config/config.ts'

/** Whether the page of a model has a pad to draw on: the model called digits has one, and so has DIGITS_MODEL. */
export function hasDigitPad({ digitsModel }: Pick<Config, 'digitsModel'>, model: string): boolean {
  return model === 'digits' || model === digitsModel
}

/** The model whose pad the navigation links to. */
export function padModel(config: Pick<Config, 'digitsModel' | 'models'>): string | undefined {
  const served = config.models.map(({ name }) => name)
  return (
    served.find((name) => name === config.digitsModel) ?? served.find((name) => hasDigitPad(config, name))
  )
}

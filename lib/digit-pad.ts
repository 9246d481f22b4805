import type { Config } from './config.ts'

/** Which models are shown with a pad to draw on: the one of that name, and the one that answers for it. */
export function hasDigitPad({ digitsModel }: Pick<Config, 'digitsModel'>, model: string): boolean {
  return model === 'digits' || model === digitsModel
}

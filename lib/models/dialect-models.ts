import type { Config } from '../config/config.ts'
import type { Dialect } from '../http/dialect.ts'

type Choosing = Pick<Dialect, 'setting' | 'originalModel'>

/** The model behind each route that does not name one. */
export interface DialectModels {
  of(dialect: Choosing): string
}

/** As set, else the original's where it is served, else the first. */
export function createDialectModels(config: Config): DialectModels {
  const served = config.models.map(({ name }) => name)
  return {
    of({ setting, originalModel }) {
      if (config[setting] !== '') return config[setting]
      return served.includes(originalModel) ? originalModel : (served[0] ?? originalModel)
    },
  }
}

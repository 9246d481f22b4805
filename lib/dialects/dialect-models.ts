import type { Config } from '../config/config.ts'

/** The model behind each route that does not name one: as set, else the original's where it is served, else the first. */
export interface DialectModels {
  readonly vgg: string
  readonly api: string
  readonly infer: string
  readonly digits: string
  readonly predict: string
}

export function dialectModels(config: Config): DialectModels {
  const served = config.models.map(({ name }) => name)
  const choose = (set: string, original: string) => {
    if (set !== '') return set
    return served.includes(original) ? original : (served[0] ?? original)
  }
  return {
    vgg: choose(config.vggModel, 'vgg16'),
    api: choose(config.apiModel, 'resnet50'),
    infer: choose(config.inferModel, 'inception_v3'),
    digits: choose(config.digitsModel, 'digits'),
    predict: choose(config.predictModel, 'resnet50'),
  }
}

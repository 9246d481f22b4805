import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSmallMobilenet } from '../../test/support/small-mobilenet.ts'

export interface ServedModels {
  /** the setting MODELS */
  readonly list: string
  /** the models that the soak test asks for photographs and for digits */
  readonly photo: string
  readonly digit: string
}

/** The models of the user, or a small network with weights by formula and the packaged network for digits. */
export function servedModels(list: string | undefined, folder: string): ServedModels {
  if (list === undefined) {
    const path = writeSmallMobilenet(join(folder, 'small'))
    writeFileSync(join(folder, 'small.json'), JSON.stringify(SMALL_SETTINGS))
    return { list: `small=${path},digits`, photo: 'small', digit: 'digits' }
  }
  const names = list.split(',').map((model) => model.split('=')[0]?.trim() ?? '')
  const first = names[0] ?? ''
  return {
    list,
    photo: names.find((name) => name !== 'digits') ?? first,
    digit: names.find((name) => name === 'digits') ?? first,
  }
}

const SMALL_SETTINGS = { labels: 'imagenet', preprocessing: 'tf', interpolation: 'bilinear' }

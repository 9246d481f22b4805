import { PipelineError } from '../errors.ts'

/** In all images that a model takes at once: 512 MB of floats. Sixty-four photographs of 800 × 800 have fewer. */
const MAX_INPUT_NUMBERS = 2 ** 27
/** Classes, or the features of one image: the last map of EfficientNetB7 has 924,160. A longer answer would block the service. */
const MAX_OUTPUT_NUMBERS = 2 ** 20

/** Refuses a model before memory is allocated for its input. */
export function mustTakeFew(shape: readonly number[], batch: number, path: string): void {
  const count = shape.reduce((product, length) => product * length, batch)
  if (count <= MAX_INPUT_NUMBERS) return
  throw tooLarge(path, `takes ${batch} × ${shape.join(' × ')} numbers`, MAX_INPUT_NUMBERS)
}

export function mustAnswerFew(shape: readonly number[], path: string): void {
  const count = shape.reduce((product, length) => product * length, 1)
  if (count <= MAX_OUTPUT_NUMBERS) return
  throw tooLarge(path, `answers an image with ${shape.join(' × ')} numbers`, MAX_OUTPUT_NUMBERS)
}

function tooLarge(path: string, what: string, most: number): PipelineError {
  return new PipelineError('ERR_MODEL_UNSUPPORTED', `${path} ${what}, and the limit is ${most}.`)
}

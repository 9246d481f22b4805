import { PipelineError } from '../errors.ts'
import type { OtherOutput } from '../graph/computed-outputs.ts'
import type { ModelSettings } from '../models/model-settings.ts'
import type { LastFunction } from './last-function.ts'

/** What the numbers of a model are, and what is done to them. Everything that shows an answer reads this. */
export interface OutputFacts {
  readonly kind: 'classes' | 'features'
  /** The shape of the output for one image. */
  readonly shape: readonly number[]
  /** What the model itself does in the end. */
  readonly inside: LastFunction | 'unknown'
  /** How that is known. */
  readonly knownBy: 'last layer' | 'sample answers' | 'not needed'
  /** What is done to the numbers of the model. */
  readonly applied: 'softmax' | 'sigmoid' | 'none'
  /** Probabilities of one class each that sum to 1, probabilities of classes by themselves, or other numbers. */
  readonly numbers: 'probabilities' | 'independent probabilities' | 'scores' | 'features'
  /** The other outputs, if the model has several. */
  readonly others?: readonly OtherOutput[]
}

export interface KnownOutput {
  readonly shape: readonly number[]
  readonly inside: OutputFacts['inside']
  readonly knownBy: OutputFacts['knownBy']
  readonly others?: readonly OtherOutput[]
}

/** `path` is for messages. */
export function outputFacts(known: KnownOutput, settings: ModelSettings, path: string): OutputFacts {
  const { shape, inside } = known
  if (settings.kind === 'features')
    return { ...known, kind: 'features', applied: 'none', numbers: 'features' }
  // 1 × 1 × 1000 is a row; the place of the axes of length 1 does not matter.
  if (shape.filter((length) => length > 1).length > 1) throw map(shape, path)
  const size = sizeOf(shape)
  const applied =
    settings.output === undefined || settings.output === 'auto' ? fitting(inside, size) : settings.output
  return { ...known, kind: 'classes', applied, numbers: numbersOf({ shape, inside, applied }, settings) }
}

/** A warning if the user's setting computes a function that the model has computed already. */
export function outputWarnings({ inside, applied }: OutputFacts): string[] {
  const isTwice = applied !== 'none' && (inside === 'softmax' || inside === 'sigmoid')
  if (!isTwice) return []
  return [
    `The model ends in ${inside} itself, and the setting "output": "${applied}" is applied to its probabilities: remove the setting.`,
  ]
}

/** One logit is a yes or no. Several are taken for one choice, since models for several labels are rare. */
function fitting(inside: OutputFacts['inside'], size: number): OutputFacts['applied'] {
  if (inside === 'softmax' || inside === 'sigmoid') return 'none'
  return inside === 'linear' && size === 1 ? 'sigmoid' : 'softmax'
}

type Functions = Pick<OutputFacts, 'shape' | 'inside' | 'applied'>

const lastOf = ({ inside, applied }: Functions) => (applied === 'none' ? inside : applied)

function numbersOf(functions: Functions, { labels }: ModelSettings): OutputFacts['numbers'] {
  const last = lastOf(functions)
  if (last === 'softmax' || isYesOrNo(functions, labels?.length)) return 'probabilities'
  return last === 'sigmoid' ? 'independent probabilities' : 'scores'
}

/** A single probability is that of the second of two classes, unless the labels have one class. */
function isYesOrNo(functions: Functions, labels: number | undefined): boolean {
  return sizeOf(functions.shape) === 1 && lastOf(functions) === 'sigmoid' && labels !== 1
}

export function classCount(output: OutputFacts, labels: number | undefined): number {
  return isYesOrNo(output, labels) ? 2 : sizeOf(output.shape)
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1)

function map(shape: readonly number[], path: string): PipelineError {
  return new PipelineError(
    'ERR_MODEL_UNSUPPORTED',
    `${path} answers an image with a map of ${shape.join(' × ')} numbers, not with one number for each class. ` +
      'To serve the numbers as a vector, set "kind": "features"; a classifier needs pooling and a dense layer at its end.',
  )
}

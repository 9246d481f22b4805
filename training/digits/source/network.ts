/** The network: convolutions, each with batch normalization and ReLU, then one dense layer. */
export const INPUT_SIZE = 28
export const CLASSES = 10
export const BATCH_EPSILON = 1e-3

export type Step =
  | { readonly kind: 'convolution'; readonly name: string; readonly filters: number; readonly size: number }
  | { readonly kind: 'pooling'; readonly name: string }
  | { readonly kind: 'dense'; readonly name: string; readonly units: number }

// The convolutions need no padding: MNIST leaves a margin of four pixels around each digit.
export const NETWORK: readonly Step[] = [
  { kind: 'convolution', name: 'conv1', filters: 32, size: 3 },
  { kind: 'convolution', name: 'conv2', filters: 32, size: 3 },
  { kind: 'pooling', name: 'pool1' },
  { kind: 'convolution', name: 'conv3', filters: 64, size: 3 },
  { kind: 'convolution', name: 'conv4', filters: 64, size: 3 },
  { kind: 'pooling', name: 'pool2' },
  { kind: 'convolution', name: 'conv5', filters: 128, size: 3 },
  { kind: 'dense', name: 'dense', units: CLASSES },
]

/** One array of numbers that training changes. Shapes are in ONNX order: filters × channels × height × width. */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly start: 'kernel' | 'ones' | 'zeros'
}

export interface Sized {
  readonly step: Step
  /** [channels, height, width] of the step's input; `after` is that of its output. */
  readonly before: readonly [number, number, number]
  readonly after: readonly [number, number, number]
}

/** The steps with the sizes of their inputs and outputs. */
export function sizedSteps(): Sized[] {
  let before: Sized['before'] = [1, INPUT_SIZE, INPUT_SIZE]
  return NETWORK.map((step) => {
    const sized = { step, before, after: sizeAfter(step, before) }
    before = sized.after
    return sized
  })
}

function sizeAfter(step: Step, [channels, height, width]: Sized['before']): Sized['after'] {
  if (step.kind === 'pooling') return [channels, height >> 1, width >> 1]
  if (step.kind === 'dense') return [step.units, 1, 1]
  return [step.filters, height - step.size + 1, width - step.size + 1]
}

export function parameters(): Parameter[] {
  return sizedSteps().flatMap(({ step, before: [channels, height, width] }): Parameter[] => {
    if (step.kind === 'pooling') return []
    const { name } = step
    if (step.kind === 'dense') {
      return [
        { name: `${name}/kernel`, shape: [channels * height * width, step.units], start: 'kernel' },
        { name: `${name}/bias`, shape: [step.units], start: 'zeros' },
      ]
    }
    return [
      { name: `${name}/kernel`, shape: [step.filters, channels, step.size, step.size], start: 'kernel' },
      { name: `${name}/gamma`, shape: [1, step.filters, 1, 1], start: 'ones' },
      { name: `${name}/beta`, shape: [1, step.filters, 1, 1], start: 'zeros' },
    ]
  })
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

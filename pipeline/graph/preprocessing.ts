import { PipelineError } from '../errors.ts'
import type { Shape } from './kind.ts'
import type { OnnxGraph } from './onnx-graph.ts'
import { INPUT_NAME } from './tensor-names.ts'
import type { Value } from './value.ts'

/** The preprocessing of the pixels, by Keras' names; must be the same as in the training of the model. */
export type Preprocessing = 'caffe' | 'tf' | 'torch' | 'unit' | 'teachable-machine' | 'none'

interface Steps {
  readonly reverseChannels?: true
  readonly divideBy?: number
  /** One number for all channels, or three numbers, one for each channel. */
  readonly subtract?: readonly number[]
  readonly thenDivideBy?: readonly number[]
}

const STEPS: Readonly<Record<Preprocessing, Steps>> = {
  // ImageNet means of B, G, R.
  caffe: { reverseChannels: true, subtract: [103.939, 116.779, 123.68] },
  tf: { divideBy: 127.5, subtract: [1] },
  // ImageNet means and standard deviations of R, G, B.
  torch: { divideBy: 255, subtract: [0.485, 0.456, 0.406], thenDivideBy: [0.229, 0.224, 0.225] },
  unit: { divideBy: 255 },
  // By 127, not by 127.5.
  'teachable-machine': { divideBy: 127, subtract: [1] },
  none: {},
}

/**
 * Turns pixels into the input of the first layer, in the same steps and order as Keras, so that the numbers are equal.
 * The channels are reordered first, while pixels are still bytes.
 */
export function preprocess(
  graph: OnnxGraph,
  { shape, type, mode }: { shape: Shape; type: 'uint8' | 'float32'; mode: Preprocessing },
): Value {
  const steps = STEPS[mode]
  const channels = shape.at(-1) ?? 1
  const isImage = shape.length === 3
  if ((steps.reverseChannels || (steps.subtract?.length ?? 1) > 1) && !(isImage && channels === 3)) {
    throw new PipelineError(
      'ERR_MODEL_SETTINGS',
      `Preprocessing '${mode}' is for images of three channels; the model's input is [${shape.join(', ')}].`,
    )
  }
  let x = isImage ? graph.node('Transpose', [INPUT_NAME], { perm: [0, 3, 1, 2] }) : INPUT_NAME
  if (steps.reverseChannels) x = graph.node('Gather', [x, graph.integers([2, 1, 0])], { axis: 1 })
  if (type === 'uint8') x = graph.node('Cast', [x], { to: 1 })
  const numbers = (values: readonly number[]) =>
    graph.floats(values, values.length > 1 ? [values.length, 1, 1] : [])
  if (steps.divideBy) x = graph.node('Div', [x, numbers([steps.divideBy])])
  if (steps.subtract) x = graph.node('Sub', [x, numbers(steps.subtract)])
  if (steps.thenDivideBy) x = graph.node('Div', [x, numbers(steps.thenDivideBy)])
  const nonNegative = mode === 'unit' || (mode === 'none' && type === 'uint8')
  return { shape, nonNegative, tensors: isImage ? { planes: x } : { plain: x } }
}

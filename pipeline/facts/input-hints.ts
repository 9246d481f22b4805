import type { InputHints } from '../engines/onnx/onnx-metadata.ts'
import type { OnnxOutline } from '../weights/onnx/onnx-outline.ts'
import { consumersIn } from './producers.ts'

const MAX_STEPS = 20
const TO_PLANES = [0, 3, 1, 2].join()

/** Order and number of the channels, from the first layers: an exporter may have left all sizes of the input variable. */
export function inputHints(outline: OnnxOutline): InputHints {
  const consumers = consumersIn(outline)
  let tensor = outline.inputs[0] ?? ''
  let order: InputHints['order'] = 'nchw'
  for (let step = 0; step < MAX_STEPS; step++) {
    const [node] = consumers.get(tensor) ?? []
    if (!node) break
    if (node.op === 'Transpose' && node.integers.get('perm')?.join() === TO_PLANES) order = 'nhwc'
    if (node.op === 'Conv') {
      const [, channels] = outline.arrays.get(node.inputs[1] ?? '') ?? []
      const [groups = 1] = node.integers.get('group') ?? []
      return { order, ...(channels !== undefined && { channels: channels * groups }) }
    }
    tensor = node.outputs[0] ?? ''
  }
  return { order }
}

import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Values } from './adam.ts'
import { type Digits, PIXELS } from './digits.ts'
import { BATCH_EPSILON, CLASSES, INPUT_SIZE, sizedSteps, sizeOf } from './network.ts'
import { newGraph } from './onnx-graph.ts'

const BATCH = 250

export type Classify = (values: Values) => Promise<Float32Array>

/** The network for prediction, with the means and variances from training. Returns a row of probabilities for each image. */
export async function classifier(digits: Digits, indices: Int32Array): Promise<Classify> {
  const { model, inputs, output } = inferenceGraph()
  const session = await InferenceSession.create(model, { intraOpNumThreads: 2 })
  return async (values) => {
    const weights = folded(values)
    const fixed = inputs.slice(1).map(({ name, shape }) => {
      return [name, new Tensor('float32', weights.get(name) ?? new Float32Array(), shape)] as const
    })
    const result = new Float32Array(indices.length * CLASSES)
    for (let start = 0; start < indices.length; start += BATCH) {
      const some = indices.subarray(start, start + BATCH)
      const images = new Float32Array(BATCH * PIXELS)
      for (const [row, index] of some.entries()) {
        for (let i = 0; i < PIXELS; i++) {
          images[row * PIXELS + i] = (digits.pixels[index * PIXELS + i] as number) / 255
        }
      }
      const shape = [BATCH, 1, INPUT_SIZE, INPUT_SIZE]
      const answer = await session.run({
        images: new Tensor('float32', images, shape),
        ...Object.fromEntries(fixed),
      })
      const rows = answer[output]?.data as Float32Array
      result.set(rows.subarray(0, some.length * CLASSES), start * CLASSES)
    }
    return result
  }
}

export function mostLikely(probabilities: Float32Array, row: number): number {
  const its = probabilities.subarray(row * CLASSES, (row + 1) * CLASSES)
  return its.indexOf(Math.max(...its))
}

function inferenceGraph() {
  const graph = newGraph()
  const inputs = [{ name: 'images', shape: [BATCH, 1, INPUT_SIZE, INPUT_SIZE] }]
  let x = 'images'
  for (const { step, before } of sizedSteps()) {
    const [kernel, bias] = [`${step.name}/kernel`, `${step.name}/bias`]
    if (step.kind === 'pooling') x = graph.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] })
    if (step.kind === 'convolution') {
      inputs.push({ name: kernel, shape: [step.filters, before[0], step.size, step.size] })
      inputs.push({ name: bias, shape: [step.filters] })
      x = graph.node('Relu', [graph.node('Conv', [x, kernel, bias])])
    }
    if (step.kind === 'dense') {
      inputs.push({ name: kernel, shape: [sizeOf(before), step.units] }, { name: bias, shape: [step.units] })
      x = graph.node('Gemm', [graph.node('Flatten', [x], { axis: 1 }), kernel, bias])
    }
  }
  const output = graph.node('Softmax', [x], { axis: 1 })
  return { model: graph.encode(inputs, [output]), inputs, output }
}

/** Merges each normalization, which is one factor and one summand for each filter, into its convolution. */
function folded(values: Values): Values {
  const result = new Map<string, Float32Array>()
  const of = (name: string) => values.get(name) ?? new Float32Array()
  for (const { step } of sizedSteps()) {
    const { name } = step
    if (step.kind === 'dense') {
      result.set(`${name}/kernel`, of(`${name}/kernel`)).set(`${name}/bias`, of(`${name}/bias`))
    }
    if (step.kind !== 'convolution') continue
    const [gamma, beta] = [of(`${name}/gamma`), of(`${name}/beta`)]
    const [mean, variance] = [of(`${name}/moving_mean`), of(`${name}/moving_variance`)]
    const factor = gamma.map((value, i) => value / Math.sqrt((variance[i] as number) + BATCH_EPSILON))
    const each = of(`${name}/kernel`).length / step.filters
    result.set(
      `${name}/kernel`,
      of(`${name}/kernel`).map((value, i) => value * (factor[Math.floor(i / each)] as number)),
    )
    result.set(
      `${name}/bias`,
      beta.map((value, i) => value - (mean[i] as number) * (factor[i] as number)),
    )
  }
  return result
}

import type { Tensor } from '@tensorflow/tfjs-core'
import { PipelineError } from '../../errors.ts'
import { checkWeights } from '../../graph/check-weights.ts'
import { otherOutputs, sizeOf } from '../../graph/computed-outputs.ts'
import type { Shape } from '../../graph/kind.ts'
import { layerError, shapeText } from '../../graph/layer-config.ts'
import { neededLayers } from '../../graph/plan.ts'
import { planLayers } from '../../graph/plan-layers.ts'
import type { Preprocessing } from '../../graph/preprocessing.ts'
import { ownerOf, type WeightStore } from '../../graph/weight-store.ts'
import type { Layer, LayerList } from '../../models/networks/layer-list.ts'
import type { Engine } from '../engine.ts'
import { type InputType, inputNumbers } from '../input-numbers.ts'
import { sideBySide } from '../side-by-side.ts'
import { type Backend, openBackend, type TensorFlow } from './tfjs-backend.ts'
import { operationOf } from './tfjs-layers.ts'
import type { Operation } from './tfjs-operation.ts'

export interface TfjsOptions {
  readonly layers: LayerList
  /** Read once while the engine opens, one array at a time; not needed afterwards. */
  readonly weights: WeightStore
  readonly preprocessing: Preprocessing
  readonly input: InputType
  readonly threads: number
  /** The TensorFlow.js that runs the operations; by default the fastest that is installed. */
  readonly backend?: Backend
}

interface Step {
  readonly layer: Layer
  readonly run: Operation
  /** Names of outputs that no later step needs. */
  readonly used: readonly string[]
}

/**
 * Runs a layer list in TensorFlow.js, one layer after another, as Keras does. No layer is folded into another, so that
 * this engine is an independent check of the ONNX engine, whose compiler folds layers.
 */
export async function openTfjs(options: TfjsOptions): Promise<Engine> {
  const { weights, input, preprocessing } = options
  const { inputShape, output } = options.layers
  const plans = planLayers(options.layers)
  const shapeOf = (name: string): Shape => plans.get(name)?.shape ?? []
  const others = otherOutputs(options.layers, plans)
  const outputs = [output, ...others.map(({ name }) => name)]
  const layers = neededLayers(options.layers, outputs)
  checkWeights(layers, plans, weights)
  const numbersOf = inputNumbers(inputShape, input, preprocessing)
  const { tf, device } = options.backend ?? (await openBackend(options.threads))
  const usedUp = lastUses(layers, outputs)
  const tensors: Tensor[] = []
  const steps: Step[] = []
  try {
    for (const layer of layers) {
      if (layer.className === 'InputLayer') continue
      const own = await upload(tf, weights, layer, tensors)
      const inputs = layer.inputs.map(shapeOf)
      const run = operationOf({ tf, layer, weights: own, inputs, output: shapeOf(layer.name) })
      steps.push({ layer, run, used: usedUp(layer) })
    }
  } catch (error) {
    tf.dispose(tensors)
    throw error
  }
  const inputName = layers.find(({ className }) => className === 'InputLayer')?.name ?? ''
  return {
    name: 'tfjs',
    device,
    inputShape,
    outputShape: shapeOf(output),
    outputSize: sizeOf(shapeOf(output)),
    others,
    rowSize: outputs.reduce((sum, name) => sum + sizeOf(shapeOf(name)), 0),
    async run(pixels, n) {
      const numbers = numbersOf(pixels)
      if (numbers.length !== n * sizeOf(inputShape)) throw wrongLength(numbers.length, n, inputShape)
      const answers = tf.tidy(() =>
        forward(steps, inputName, tf.tensor(numbers, [n, ...inputShape]), outputs),
      )
      try {
        return sideBySide((await Promise.all(answers.map((one) => one.data()))) as Float32Array[], n)
      } finally {
        tf.dispose(answers)
      }
    },
    async close() {
      tf.dispose(tensors.splice(0))
    },
  }
}

/** The weights of one layer as tensors, also added to `kept`. Only one array at a time is in this process' memory. */
async function upload(tf: TensorFlow, weights: WeightStore, layer: Layer, kept: Tensor[]): Promise<Tensor[]> {
  const own: Tensor[] = []
  for (const [index, { name, shape }] of weights.arrays(ownerOf(layer)).entries()) {
    const values = await weights.read(ownerOf(layer), index)
    if (values.length !== sizeOf(shape)) {
      throw layerError(layer, `${name} of shape ${shapeText(shape)} came with ${values.length} numbers`)
    }
    const tensor = tf.tensor(values, [...shape])
    own.push(tensor)
    kept.push(tensor)
  }
  return own
}

/** For each layer, the inputs that no later layer takes: they are disposed of as soon as the layer has run. */
function lastUses(layers: readonly Layer[], outputs: readonly string[]): (layer: Layer) => string[] {
  const last = new Map<string, Layer>()
  for (const layer of layers) for (const input of layer.inputs) last.set(input, layer)
  for (const output of outputs) last.delete(output)
  return (layer) => [...new Set(layer.inputs)].filter((input) => last.get(input) === layer)
}

function forward(
  steps: readonly Step[],
  inputName: string,
  input: Tensor,
  wanted: readonly string[],
): Tensor[] {
  const outputs = new Map([[inputName, input]])
  const outputOf = (name: string): Tensor => {
    const tensor = outputs.get(name)
    if (tensor) return tensor
    throw new PipelineError('ERR_MODEL_LOAD', `The output of layer '${name}' is missing.`)
  }
  for (const { layer, run, used } of steps) {
    outputs.set(layer.name, run(layer.inputs.map(outputOf)))
    // tidy() alone would keep the outputs of all layers until the end: 120 MB for one image in VGG-16.
    for (const name of used) {
      outputOf(name).dispose()
      outputs.delete(name)
    }
  }
  return wanted.map(outputOf)
}

function wrongLength(found: number, n: number, shape: Shape): PipelineError {
  const message = `${n} inputs of shape ${shapeText(shape)} need ${n * sizeOf(shape)} numbers; there are ${found}.`
  return new PipelineError('ERR_ENGINE', message)
}

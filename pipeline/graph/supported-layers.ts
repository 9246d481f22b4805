import type { PipelineError } from '../errors.ts'
import type { Layer } from '../models/networks/layer-list.ts'
import { kindOf } from './kinds.ts'
import { EXPORT_ONNX, notSupported } from './layer-config.ts'
import { TRAINING_ONLY_LAYERS } from './layers/training-only.ts'

const trainingOnly: ReadonlySet<string> = new Set(TRAINING_ONLY_LAYERS.map(([name]) => name))

/** Whether a layer's output is its unchanged input during prediction. */
export function isIdentity(className: string): boolean {
  return trainingOnly.has(className)
}

/** Throws unless the layer's class is known, and all its options are. */
export function checkLayer(layer: Layer): void {
  if (layer.className === 'InputLayer') return
  const kind = kindOf(layer.className)
  if (!kind) throw unsupportedLayer(layer)
  kind.check(layer)
}

export function unsupportedLayer(layer: Layer): PipelineError {
  return notSupported(layer, `Tandem does not have this class; ${adviceFor(layer.className)}`)
}

const RECURRENT = /LSTM|GRU|RNN|Bidirectional/

/** What a person can do about a layer that cannot be taken. */
function adviceFor(className: string): string {
  if (className === 'Lambda')
    return `its code is never run: write it with Keras' layers or operations (x / 255, keras.ops.mean(x, 1)), or ${EXPORT_ONNX}`
  if (RECURRENT.test(className)) return `layers for sequences are not supported, so ${EXPORT_ONNX}`
  return `replace it by layers that docs/models.md lists, or ${EXPORT_ONNX}`
}

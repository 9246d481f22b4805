import type { FoundModel } from '../found-model.ts'
import { roomFor } from './picture-sample.ts'
import { FEWEST_PICTURES } from './quantized.ts'
import { readRefusal, refusalFile, refusalSentence } from './refusal.ts'

/** Half of the pictures calibrate, the other half checks. */
const ENOUGH_PICTURES = 64

/** What a model that may be computed as int8, and is not, waits for. */
export interface WhyFloats {
  readonly sentence: string
  /** How many pictures of requests are needed to calibrate the model; undefined where nothing is to be done. */
  readonly pictures?: number
  /** The model was calibrated, and is not good enough. */
  readonly isRefused?: true
}

export interface Served {
  readonly weightsDir: string
  readonly engine: string
  readonly device: string
  /** Of one picture. */
  readonly bytes: number
  readonly isFeatures: boolean
  /** The part of the pictures whose best class must stay the same. */
  readonly target: number
  /** Whether the service can calibrate. */
  readonly calibrates: boolean
}

export async function whyFloats({ isOnnx, key }: FoundModel, served: Served): Promise<WhyFloats> {
  const { weightsDir, engine, device, bytes, isFeatures, target, calibrates } = served
  if (isOnnx) return floats('an ONNX file is served as it is')
  if (engine !== 'onnx' || device !== 'cpu')
    return floats(`int8 needs ENGINE=onnx and a CPU, not ${engine} on ${device}`)
  if (isFeatures) return floats('features have no best class to check int8 with')
  const file = refusalFile(weightsDir, key)
  const refusal = await readRefusal(file, target)
  if (refusal) return { sentence: refusalSentence(refusal, file), isRefused: true }
  if (!calibrates) return floats('the model has not been quantized')
  const room = roomFor(bytes)
  if (room < FEWEST_PICTURES) return floats('its pictures are too large for a sample of them in memory')
  const pictures = Math.min(ENOUGH_PICTURES, room)
  return {
    sentence: `float32 until ${pictures} different pictures of requests have calibrated int8`,
    pictures,
  }
}

const floats = (why: string): WhyFloats => ({ sentence: `float32, because ${why}` })

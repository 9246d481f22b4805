import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cpuSignature } from '../engines/onnx/cpu-signature.ts'
import { compiledName } from '../graph/compiler-version.ts'
import { isWhole } from '../graph/whole-folder.ts'
import { modelIn } from '../graph/write-model.ts'
import type { Agreement } from './agreement.ts'
import type { Method } from './recipe.ts'

/*
 * A model in bytes lies in a folder of its own, outside of the compiled models: nobody but the user, with pictures, can make
 * it again.
 */

/** What is known about a model in bytes. */
export interface Quantization {
  readonly method: Method
  /** `dense`: the matrices alone are bytes. */
  readonly precision: 'int8' | 'dense'
  /** Of the model: another calibration gives another one. */
  readonly digest: string
  /** On pictures that the calibration has not seen. */
  readonly agreement: Agreement
  /** The part of the pictures whose best class must stay the same. */
  readonly target: number
  readonly floatMs: number
  readonly ms: number
  readonly floatBytes: number
  readonly bytes: number
}

export const QUANTIZATION_FILE = 'quantization.json'
export const REPORT_FILE = 'report.txt'
export const CHART_FILE = 'report.svg'
export const SCALES_FILE = 'scales.json'

/** To quantize a model with: fewer say too little about the rest. */
export const FEWEST_PICTURES = 16

export const quantizedDir = (weightsDir: string): string => join(weightsDir, 'int8')

/** Without instructions for sums of bytes, the CPU adds products in 16 bits, and weights of 8 bits would overflow. */
export function mostByte(cpu = cpuSignature()): 127 | 63 {
  return cpu.startsWith('x64') && !cpu.includes('vnni') ? 63 : 127
}

export function quantizedFolder(
  weightsDir: string,
  key: string,
  precision: Quantization['precision'],
): string {
  const bits = mostByte() === 127 ? 8 : 7
  return join(quantizedDir(weightsDir), `${compiledName(key)}-${precision}-${bits}`)
}

export interface Quantized {
  readonly modelPath: string
  readonly quantization: Quantization
}

/** Undefined if there is none for this model and this kind of CPU. */
export async function readQuantized(folder: string): Promise<Quantized | undefined> {
  if (!(await isWhole(folder))) return undefined
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, QUANTIZATION_FILE), 'utf8'))
    return isQuantization(value) ? { modelPath: modelIn(folder).modelPath, quantization: value } : undefined
  } catch {
    return undefined
  }
}

function isQuantization(value: unknown): value is Quantization {
  if (typeof value !== 'object' || value === null) return false
  const { precision, digest, agreement, target, floatMs, ms, floatBytes, bytes } = value as Record<
    keyof Quantization,
    unknown
  >
  if (typeof agreement !== 'object' || agreement === null || typeof digest !== 'string') return false
  if (precision !== 'int8' && precision !== 'dense') return false
  const { images, top1, expected, top5, difference, decibels } = agreement as Record<keyof Agreement, unknown>
  const numbers = [target, floatMs, ms, floatBytes, bytes, images, top1, expected, top5, difference, decibels]
  return numbers.every((number) => typeof number === 'number' && Number.isFinite(number))
}

/** One sentence for the log and for pages. */
export function quantizationSentence({ precision, agreement, floatMs, ms }: Quantization): string {
  const what = precision === 'dense' ? 'dense layers as int8' : 'int8'
  const same = `the same best class as float32 for ${(agreement.top1 * 100).toFixed(1)} % of ${agreement.images} pictures`
  return `${what}: ${same}, ${(floatMs / ms).toFixed(2)} times as fast by a measurement on this machine`
}

import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { cpuSignature } from '../engines/onnx/cpu-signature.ts'
import { writeDurably } from '../graph/write-model.ts'
import { quantizedFolder } from './quantized.ts'

/** Why a model that was calibrated with pictures of requests stays float: kept, so that no start tries again in vain. */
export interface Refusal {
  readonly cpu: string
  readonly images: number
  /** The part of the images with the same best class. */
  readonly top1: number
  readonly target: number
  /** How many times as fast as the float model that serves. */
  readonly gain: number
  readonly leastGain: number
}

export const refusalFile = (weightsDir: string, key: string): string =>
  `${quantizedFolder(weightsDir, key, 'int8')}-refused.json`

export async function keepRefusal(file: string, refusal: Omit<Refusal, 'cpu'>): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  // Of another try.
  await rm(file, { force: true })
  await writeDurably(file, JSON.stringify({ cpu: cpuSignature(), ...refusal }, null, 2))
}

/** Undefined if the model may be tried: it never was, another CPU was slow, or less agreement is wanted now. */
export async function readRefusal(file: string, target: number): Promise<Refusal | undefined> {
  const refusal = await readFile(file, 'utf8').then(
    (text) => refusalOf(text),
    () => undefined,
  )
  if (!refusal) return undefined
  const isSlow = refusal.gain < refusal.leastGain && refusal.cpu === cpuSignature()
  return isSlow || refusal.top1 < target ? refusal : undefined
}

function refusalOf(text: string): Refusal | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { images, top1, target, gain, leastGain } = value as Record<keyof Refusal, unknown>
    const areNumbers = [images, top1, target, gain, leastGain].every((number) => typeof number === 'number')
    return areNumbers ? (value as Refusal) : undefined
  } catch {
    return undefined
  }
}

/** One sentence for the log and for pages. */
export function refusalSentence({ images, top1, target, gain, leastGain }: Refusal, file: string): string {
  const same = `the same best class as float32 for ${percent(top1)} of ${images} pictures of requests (wanted: ${percent(target)})`
  const speed = `${gain.toFixed(2)} times as fast (wanted: ${leastGain.toFixed(2)})`
  return `The model stays float32: int8 has ${same}, and is ${speed}. Remove ${file} to have it tried again.`
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`

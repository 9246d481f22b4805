import { mutateBytes } from '../mutate-bytes.ts'
import type { Random } from '../random.ts'

/** A file format whose files can be changed so that lengths and checksums stay right. */
export interface Format {
  readonly name: string
  /** How many of the changes follow the format, if others are of little use. */
  readonly share?: number
  matches(file: Buffer): boolean
  /** Changes one thing. `donor` is another file, often of the same format. */
  mutate(file: Buffer, random: Random, donor: Buffer): Buffer
}

/** Larger inputs find nothing that smaller ones do not, and cost time. */
export const MAX_INPUT_BYTES = 512 * 2 ** 10
const MAX_CHANGES = 4
/** The rest are changes that know no format, after which lengths and checksums are wrong. */
const STRUCTURED = 0.7

/** Changes a file in one to four ways. The same random numbers give the same file. */
export function mutate(file: Buffer, formats: readonly Format[], random: Random, donor = file): Buffer {
  let mutated = file
  for (let left = 1 + random.below(MAX_CHANGES); left > 0; left--) {
    const now = mutated
    const format = formats.find((one) => one.matches(now))
    const isStructured = format !== undefined && random.chance(format.share ?? STRUCTURED)
    mutated = isStructured ? format.mutate(now, random, donor) : mutateBytes(now, random, donor)
  }
  return mutated.length > MAX_INPUT_BYTES ? mutated.subarray(0, MAX_INPUT_BYTES) : mutated
}

/** A number of a file; 0 if the file ends before it. */
export function number(file: Buffer, at: number, size: number, order: 'LE' | 'BE'): number {
  if (at < 0 || at + size > file.length) return 0
  return order === 'LE' ? file.readUIntLE(at, size) : file.readUIntBE(at, size)
}

import type { Random } from './random.ts'

type Mutation = (file: Buffer, random: Random, donor: Buffer) => Buffer

/** The bytes at the beginning of a file that are likely headers. */
const HEAD_BYTES = 256
/** Numbers at the edges of what lengths, counts and offsets can be. */
export const EDGES = [
  0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
  0xfffffffe, 0xffffffff,
] as const
const LONGEST_STRETCH = 64
const MAX_REPEATS = 200

/** Damages a file in one way, without knowing its format. The same random numbers give the same file. */
export function mutateBytes(file: Buffer, random: Random, donor: Buffer = file): Buffer {
  return file.length === 0 ? Buffer.from(donor) : random.pick(MUTATIONS)(Buffer.from(file), random, donor)
}

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  flipBits,
  wrongNumber,
  wrongNumber,
  wrongNumber,
  truncate,
  remove,
  repeat,
  swap,
  overwrite,
  splice,
]

function flipBits(file: Buffer, random: Random): Buffer {
  for (let left = 1 + random.below(8); left > 0; left--) {
    const at = place(file, random)
    file.writeUInt8(file.readUInt8(at) ^ (1 << random.below(8)), at)
  }
  return file
}

function wrongNumber(file: Buffer, random: Random): Buffer {
  const size = random.pick([1, 2, 3, 4, 8] as const)
  if (file.length < size) return file
  return putNumber(file, Math.min(place(file, random), file.length - size), size, random)
}

/** Overwrites the bytes in either byte order, as if they were a length, an offset or a count. */
export function putNumber(file: Buffer, at: number, size: number, random: Random): Buffer {
  const order = random.chance(0.5)
  const value = BigInt(random.chance(0.7) ? random.pick(EDGES) : near(file, at, random))
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(size === 8 && random.chance(0.3) ? 2n ** 64n - 1n - value : value)
  const own = bytes.subarray(0, size)
  if (order) own.reverse()
  own.copy(file, at)
  return file
}

/** The length of the file, or a number just beside the one that is there. */
function near(file: Buffer, at: number, random: Random): number {
  if (random.chance(0.3)) return Math.max(0, file.length - at + random.below(9) - 4)
  return Math.max(0, file.readUInt8(at) + random.below(5) - 2)
}

function truncate(file: Buffer, random: Random): Buffer {
  return file.subarray(0, random.below(file.length))
}

function remove(file: Buffer, random: Random): Buffer {
  const { start, end } = stretch(file, random)
  return Buffer.concat([file.subarray(0, start), file.subarray(end)])
}

function repeat(file: Buffer, random: Random): Buffer {
  const { start, end } = stretch(file, random)
  const times = random.chance(0.8) ? 1 : random.below(MAX_REPEATS)
  const copies = Array<Buffer>(times).fill(file.subarray(start, end))
  return Buffer.concat([file.subarray(0, end), ...copies, file.subarray(end)])
}

function swap(file: Buffer, random: Random): Buffer {
  const length = 1 + random.below(Math.min(LONGEST_STRETCH, file.length / 2))
  const [from, to] = [random.below(file.length - length), random.below(file.length - length)]
  const moved = Buffer.from(file.subarray(from, from + length))
  file.copy(file, from, to, to + length)
  moved.copy(file, to)
  return file
}

function overwrite(file: Buffer, random: Random): Buffer {
  const { start, end } = stretch(file, random)
  return file.fill(random.pick([0, 0xff, random.below(256)]), start, end)
}

/** The beginning of this file and the end of another one. */
function splice(file: Buffer, random: Random, donor: Buffer): Buffer {
  return Buffer.concat([file.subarray(0, place(file, random)), donor.subarray(random.below(donor.length))])
}

function stretch(file: Buffer, random: Random): { start: number; end: number } {
  const start = place(file, random)
  return { start, end: Math.min(file.length, start + 1 + random.below(LONGEST_STRETCH)) }
}

/** A random position; half of the time in the headers. */
function place(file: Buffer, random: Random): number {
  return random.below(random.chance(0.5) ? file.length : Math.min(file.length, HEAD_BYTES))
}

type Random = () => number
type Mutation = (file: Buffer, random: Random) => Buffer

/** The bytes at the beginning of a file that are likely headers. */
const HEAD_BYTES = 256
/** Numbers at the edges of what lengths, counts and offsets can be. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff] as const

/** Damages a file in one to three ways. The same random numbers give the same file. */
export function mutateImage(file: Buffer, random: Random): Buffer {
  let mutated: Buffer = Buffer.from(file)
  for (let i = 0; i <= below(3, random); i++) {
    const mutation = MUTATIONS[below(MUTATIONS.length, random)]
    if (mutation && mutated.length > 1) mutated = mutation(mutated, random)
  }
  return mutated
}

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  wrongNumber,
  wrongNumber,
  truncate,
  swapStretches,
  swapParts,
  repeatPart,
  dropPart,
  overwrite,
]

function flipBits(file: Buffer, random: Random): Buffer {
  for (let i = 0; i <= below(8, random); i++) {
    const at = place(file, random)
    file.writeUInt8(file.readUInt8(at) ^ (1 << below(8, random)), at)
  }
  return file
}

/** Overwrites two or four bytes, in either byte order, as if they were a length, an offset or a count. */
function wrongNumber(file: Buffer, random: Random): Buffer {
  const size = random() < 0.5 ? 2 : 4
  if (file.length < size) return file
  const at = Math.min(place(file, random), file.length - size)
  const edge = EDGES[below(EDGES.length, random)] ?? 0
  const bytes = Buffer.alloc(4)
  if (random() < 0.5) bytes.writeUInt32LE(edge)
  else bytes.writeUInt32BE(size === 2 ? (edge & 0xffff) * 0x10000 : edge)
  bytes.copy(file, at, 0, size)
  return file
}

function truncate(file: Buffer, random: Random): Buffer {
  return file.subarray(0, below(file.length, random))
}

function swapStretches(file: Buffer, random: Random): Buffer {
  const length = 1 + below(Math.min(64, file.length / 2), random)
  const [from, to] = [below(file.length - length, random), below(file.length - length, random)]
  const moved = Buffer.from(file.subarray(from, from + length))
  file.copy(file, from, to, to + length)
  moved.copy(file, to)
  return file
}

function swapParts(file: Buffer, random: Random): Buffer {
  const parts = partsOf(file)
  const [a, b] = [1 + below(parts.length - 1, random), 1 + below(parts.length - 1, random)]
  const swapped = new Map([
    [a, b],
    [b, a],
  ])
  return Buffer.concat(parts.map((part, i) => parts[swapped.get(i) ?? i] ?? part))
}

function repeatPart(file: Buffer, random: Random): Buffer {
  const parts = partsOf(file)
  const chosen = below(parts.length, random)
  return Buffer.concat(parts.flatMap((part, i) => (i === chosen ? [part, part] : [part])))
}

function dropPart(file: Buffer, random: Random): Buffer {
  const parts = partsOf(file)
  const chosen = below(parts.length, random)
  return Buffer.concat(parts.filter((_, i) => i !== chosen))
}

function overwrite(file: Buffer, random: Random): Buffer {
  const at = place(file, random)
  return file.fill(below(256, random), at, Math.min(file.length, at + 1 + below(64, random)))
}

/** A random position; half of the time in the headers. */
function place(file: Buffer, random: Random): number {
  return below(random() < 0.5 ? file.length : Math.min(file.length, HEAD_BYTES), random)
}

/** The chunks, segments, blocks or boxes of a file; the first one is the signature. */
function partsOf(file: Buffer): Buffer[] {
  const starts = startsOf(file).filter((start) => start > 0 && start < file.length)
  return [0, ...starts].map((start, i) => file.subarray(start, starts[i] ?? file.length))
}

function startsOf(file: Buffer): number[] {
  if (file.readUInt16BE(0) === 0xffd8) return chain(file, 2, (at) => 2 + number(file, at + 2, 2, 'BE'))
  if (file.readUInt8(0) === 0x89) return chain(file, 8, (at) => 12 + number(file, at, 4, 'BE'))
  if (file.toString('latin1', 0, 4) === 'RIFF') {
    // Chunks have even lengths.
    return chain(file, 12, (at) => 8 + 2 * Math.ceil(number(file, at + 4, 4, 'LE') / 2))
  }
  if (file.toString('latin1', 4, 8) === 'ftyp') return chain(file, 0, (at) => number(file, at, 4, 'BE'))
  // Other formats are cut into pieces of equal length, since their structure is harder to follow.
  const step = Math.ceil(file.length / 16)
  return Array.from({ length: 15 }, (_, i) => (i + 1) * step)
}

function chain(file: Buffer, first: number, lengthAt: (at: number) => number): number[] {
  const starts: number[] = []
  for (let at = first; at < file.length && starts.length < 64; ) {
    starts.push(at)
    const length = lengthAt(at)
    if (length <= 0) break
    at += length
  }
  return starts
}

function number(file: Buffer, at: number, size: number, order: 'LE' | 'BE'): number {
  if (at + size > file.length) return 0
  return order === 'LE' ? file.readUIntLE(at, size) : file.readUIntBE(at, size)
}

function below(limit: number, random: Random): number {
  return Math.trunc(random() * Math.max(1, limit))
}

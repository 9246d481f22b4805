import { mutateBytes, putNumber } from '../mutate-bytes.ts'
import type { Random } from '../random.ts'
import { type Format, MAX_INPUT_BYTES } from './format.ts'

/** A chunk, a segment, a box, a field, an entry. */
export interface Part {
  /** '' for bytes that have neither a name nor a length, such as a signature */
  readonly name: string
  /** the content, or what comes before the inner parts */
  readonly data: Buffer
  readonly parts?: readonly Part[]
}

/** How a format is taken apart and put together again, with the right lengths and checksums. */
export interface PartsFormat {
  readonly name: string
  /** Other names that a part may be given. */
  readonly names: readonly string[]
  readonly share?: number
  matches(file: Buffer): boolean
  split(file: Buffer): Part[]
  join(parts: readonly Part[]): Buffer
  /** Changes the content of a part, if the format knows a better way than to change its bytes. */
  mutateData?(part: Part, random: Random): Buffer | undefined
}

type Change = (parts: readonly Part[], at: number, random: Random, format: PartsFormat) => readonly Part[]

const MOST_COPIES = 3000
const MOST_NESTED = 40
const DESCEND = 0.7

export function partsFormat(format: PartsFormat): PartsFormat & Format {
  return {
    ...format,
    mutate(file, random, donor) {
      const parts = format.split(file)
      const others = format.matches(donor) ? format.split(donor) : parts
      return format.join(changed(parts, others, random, format))
    },
  }
}

function changed(parts: readonly Part[], others: readonly Part[], random: Random, format: PartsFormat) {
  const at = random.below(parts.length)
  const part = parts[at]
  if (part === undefined) return others
  if (part.parts !== undefined && random.chance(DESCEND)) {
    const same = others.find(({ name, parts }) => name === part.name && parts !== undefined)
    const inner: readonly Part[] = changed(part.parts, same?.parts ?? part.parts, random, format)
    return parts.with(at, { ...part, parts: inner })
  }
  if (random.chance(0.1))
    return parts.toSpliced(at, random.below(2), random.pick(others.length > 0 ? others : parts))
  return random.pick(CHANGES)(parts, at, random, format)
}

const CHANGES: readonly Change[] = [
  changeData,
  changeData,
  changeData,
  changeNumber,
  changeNumber,
  (parts, at) => parts.toSpliced(at, 1),
  swap,
  repeat,
  rename,
  nest,
  (parts, at) => replace(parts, at, { data: Buffer.alloc(0) }),
]

function changeData(parts: readonly Part[], at: number, random: Random, format: PartsFormat) {
  const part = parts[at]
  if (part === undefined) return parts
  return replace(parts, at, { data: format.mutateData?.(part, random) ?? mutateBytes(part.data, random) })
}

/** Most numbers lie at even offsets. */
function changeNumber(parts: readonly Part[], at: number, random: Random) {
  const data = Buffer.from(parts[at]?.data ?? [])
  const size = random.pick([1, 2, 4] as const)
  if (data.length < size) return parts
  const place = random.below((data.length - size) / size + 1) * size
  return replace(parts, at, { data: putNumber(data, place, size, random) })
}

function swap(parts: readonly Part[], at: number, random: Random) {
  const other = random.below(parts.length)
  const [one, two] = [parts[at], parts[other]]
  return one && two ? parts.with(at, two).with(other, one) : parts
}

function repeat(parts: readonly Part[], at: number, random: Random) {
  const part = parts[at]
  if (part === undefined) return parts
  const bytes =
    12 + part.data.length + (part.parts ?? []).reduce((sum, { data }) => sum + data.length + 12, 0)
  const most = Math.min(MOST_COPIES, MAX_INPUT_BYTES / 2 / bytes)
  const copies = random.chance(0.7) ? 1 : 1 + random.below(most)
  return parts.toSpliced(at, 0, ...Array<Part>(copies).fill(part))
}

function rename(parts: readonly Part[], at: number, random: Random, { names }: PartsFormat) {
  const name = random.pick([...names, ...parts.map(({ name }) => name)])
  return replace(parts, at, { name })
}

/** Puts a part into a part of the same name, many times. */
function nest(parts: readonly Part[], at: number, random: Random) {
  let nested = parts[at]
  if (nested?.parts === undefined) return parts
  for (let left = 1 + random.below(MOST_NESTED); left > 0; left--) nested = { ...nested, parts: [nested] }
  return parts.with(at, nested)
}

function replace(parts: readonly Part[], at: number, change: Partial<Part>): readonly Part[] {
  const part = parts[at]
  return part === undefined ? parts : parts.with(at, { ...part, ...change })
}

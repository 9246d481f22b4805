import { EDGES } from '../mutate-bytes.ts'
import type { Random } from '../random.ts'
import type { Format } from './format.ts'

type Json = unknown
type Holder = Record<string, Json>

const MAX_DEPTH = 3000
const WORDS = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'Model',
  'Lambda',
  '../x',
  'a/b',
  '\u0000',
  '\ud800',
  'é'.repeat(200),
]
const NUMBERS = [...EDGES, -1, 0.5, -0.5, 1e21, 1e308, 2 ** 53, -(2 ** 31)]

/** JSON up to a byte of 0 or the end. What follows that byte stays as it is. */
export const json: Format = {
  name: 'JSON',
  matches: (file) => /^\s*[{[]/.test(file.toString('latin1', 0, 16)),
  mutate(file, random, donor) {
    const end = file.indexOf(0)
    const [text, rest] = end < 0 ? [file, Buffer.alloc(0)] : [file.subarray(0, end), file.subarray(end)]
    const value = parsed(text)
    if (value === undefined) return file
    const other = parsed(donor.subarray(0, Math.max(0, donor.indexOf(0)) || donor.length))
    const changed = written(() => mutateJson(value, other ?? value, random))
    return changed === undefined ? file : Buffer.concat([Buffer.from(changed), rest])
  },
}

/** Changes one value, somewhere. */
function mutateJson(value: Json, other: Json, random: Random): Json {
  const root: Holder = { root: structuredClone(value) }
  const holders = holdersIn(root)
  // The holders of a graph of layers are mostly small, so a random holder is a fair choice.
  const holder = random.pick(holders)
  const keys = Object.keys(holder)
  const key = keys.length === 0 ? '' : random.pick(keys)
  switch (random.below(holder === root ? 1 : 6)) {
    case 0:
    case 1:
      holder[key] = edge(random)
      break
    case 2:
      delete holder[key]
      break
    case 3:
      holder[random.pick([...WORDS, ...keys])] = structuredClone(random.pick(valuesIn(other)))
      break
    case 4:
      holder[key] = structuredClone(random.pick(valuesIn(other)))
      break
    default:
      if (Array.isArray(holder)) holder.push(...Array<Json>(1 + random.below(50)).fill(holder[0]))
      else holder[key] = [holder[key]]
  }
  return root.root
}

function edge(random: Random): Json {
  if (random.chance(0.4)) return random.pick(NUMBERS)
  if (random.chance(0.4)) return random.pick(WORDS)
  if (random.chance(0.1)) return nested(1 + random.below(MAX_DEPTH))
  return random.pick([null, true, false, [], {}, [0], [-1, null], { class_name: 'Dense', config: {} }])
}

function nested(depth: number): Json {
  let value: Json = []
  for (let left = depth; left > 0; left--) value = [value]
  return value
}

function parsed(text: Buffer): Json {
  try {
    return JSON.parse(text.toString('utf8'))
  } catch {
    return undefined
  }
}

/** undefined for a value that mutations have nested deeper than JSON.stringify and structuredClone can go */
function written(make: () => Json): string | undefined {
  try {
    return JSON.stringify(make())
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Without recursion, since the value may be nested thousands deep. */
function holdersIn(root: Holder): Holder[] {
  const found = [root]
  for (const holder of found) {
    for (const value of Object.values(holder)) {
      if (typeof value === 'object' && value !== null) found.push(value as Holder)
    }
  }
  return found
}

function valuesIn(value: Json): Json[] {
  return holdersIn({ root: value }).flatMap((holder) => Object.values(holder))
}

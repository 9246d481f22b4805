import { consumersIn, type FloatGraph, outputOf } from './float-graph.ts'
import { type Unit, unitsOf, withAveragesLast } from './units.ts'

/** A graph as units, and which tensors have their bytes in common. */
export interface Network {
  readonly graph: FloatGraph
  readonly units: readonly Unit[]
  /** The tensor whose scale a tensor has: that before a pooling, or that of a concatenation. */
  rootOf(tensor: string): string
  /** The units that take a tensor, also through units that only move bytes. */
  readersOf(tensor: string): readonly Unit[]
  producerOf(tensor: string): Unit | undefined
}

export function networkOf(given: FloatGraph): Network {
  const graph = withAveragesLast(given)
  const units = unitsOf(graph)
  const producers = new Map(units.map((unit) => [unit.output, unit]))
  const readers = new Map<string, Unit[]>()
  for (const unit of units) {
    for (const input of unit.inputs) readers.set(input, [...(readers.get(input) ?? []), unit])
  }
  const joined = joinedBy(units, readers, graph)
  const rootOf = (tensor: string): string => {
    const producer = producers.get(tensor)
    if (producer?.kind === 'moves') return rootOf(producer.inputs[0] ?? '')
    const concat = joined.get(tensor)
    return concat === undefined ? tensor : concat
  }
  const readersOf = (tensor: string): Unit[] =>
    (readers.get(tensor) ?? []).flatMap((unit) => (unit.kind === 'moves' ? readersOf(unit.output) : [unit]))
  return { graph, units, rootOf, readersOf, producerOf: (tensor) => producers.get(tensor) }
}

/** The inputs of concatenations that nothing else reads: they get the scale of the result, so that joining moves bytes only. */
function joinedBy(
  units: readonly Unit[],
  readers: ReadonlyMap<string, readonly Unit[]>,
  { outputs }: FloatGraph,
): ReadonlyMap<string, string> {
  const served = new Set(outputs.map(({ name }) => name))
  const producers = new Map(units.map((unit) => [unit.output, unit]))
  const joined = new Map<string, string>()
  for (const { kind, inputs, output } of units) {
    if (kind !== 'concat') continue
    const isOwn = (input: string): boolean => {
      const from = producers.get(input)
      return (
        readers.get(input)?.length === 1 &&
        !served.has(input) &&
        from !== undefined &&
        OWN_SCALE.has(from.kind)
      )
    }
    if (inputs.every(isOwn)) for (const input of inputs) joined.set(input, output)
  }
  return joined
}

/** They may give their result in any scale. */
const OWN_SCALE: ReadonlySet<string> = new Set(['conv', 'average', 'add'])

/** The tensors that may become bytes: what units on bytes take and give. */
export function byteTensors({ units, rootOf }: Network): string[] {
  const names = units.flatMap(({ kind, inputs, output }) =>
    kind === 'float' || kind === 'moves' ? [] : [...inputs, output],
  )
  return [...new Set(names.map(rootOf))]
}

export { consumersIn, outputOf }

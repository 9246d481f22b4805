import { FLOAT, type NodeProto } from '../graph/onnx-schema.ts'
import { consumersIn, type FloatGraph, integerOf, integersOf, outputOf } from './float-graph.ts'

/** What of a graph becomes one operation on bytes: a node, with the activation after it. */
export interface Unit {
  readonly kind: UnitKind
  readonly node: NodeProto
  /** The activation that is the only consumer of the node; the operation on bytes saturates where it bends. */
  readonly activation: NodeProto | undefined
  /** The largest number that the activation lets through. */
  readonly most: number
  /** The tensors of numbers that change with the image. */
  readonly inputs: readonly string[]
  readonly output: string
}

export type UnitKind =
  /** a convolution with constant weights */
  | 'conv'
  /** a matrix of constant weights */
  | 'matrix'
  | 'add'
  | 'concat'
  | 'average'
  /** gives some of its bytes, or all of them in another order */
  | 'moves'
  /** stays as it is */
  | 'float'

const MOVES: ReadonlySet<string> = new Set(['Flatten', 'Identity', 'MaxPool', 'Reshape', 'Transpose'])

/** Divides the nodes into units, in an order in which each comes after its inputs. */
export function unitsOf({ nodes, constants, outputs }: FloatGraph): Unit[] {
  const consumers = consumersIn(nodes)
  const served = new Set(outputs.map(({ name }) => name))
  const absorbed = new Set<NodeProto>()
  return nodes.flatMap((node): Unit[] => {
    if (absorbed.has(node)) return []
    const output = outputOf(node)
    const kind = kindOf(node, constants)
    const inputs = node.input.filter((input) => input !== '' && !constants.has(input))
    const unit = { kind, node, activation: undefined, most: Number.POSITIVE_INFINITY, inputs, output }
    if (!BENDING.has(kind) || served.has(output)) return [unit]
    const [next, another] = consumers.get(output) ?? []
    const most = next && !another ? mostOf(next, constants) : undefined
    if (!next || most === undefined) return [unit]
    absorbed.add(next)
    return [{ ...unit, activation: next, most, output: outputOf(next) }]
  })
}

/** Operations whose result may saturate at zero. */
const BENDING: ReadonlySet<UnitKind> = new Set(['conv', 'matrix', 'add', 'average', 'concat'])

type Constants = FloatGraph['constants']

function kindOf(node: NodeProto, constants: Constants): UnitKind {
  const { opType, input } = node
  const isConstant = (at: number) => constants.get(input[at] ?? '')?.dataType === FLOAT
  const hasConstants = isConstant(1) && (input.length < 3 || isConstant(2))
  if (opType === 'Conv' && hasConstants && !constants.has(input[0] ?? ''))
    return isImage(node, constants) ? 'conv' : 'float'
  if (opType === 'Gemm' && hasConstants && isPlainMatrix(node)) return 'matrix'
  if (opType === 'Add' && !input.some((name) => constants.has(name))) return 'add'
  if (opType === 'Concat' && integerOf(node, 'axis', 0) === 1 && !input.some((name) => constants.has(name)))
    return 'concat'
  if (opType === 'AveragePool') return 'average'
  if (opType === 'MaxPool' && node.output.length === 1) return 'moves'
  return MOVES.has(opType) ? 'moves' : 'float'
}

/** QLinearConv has no fast kernel for volumes. */
const isImage = ({ input }: NodeProto, constants: Constants): boolean =>
  constants.get(input[1] ?? '')?.dims.length === 4

const isPlainMatrix = (node: NodeProto): boolean =>
  integerOf(node, 'transA', 0) === 0 &&
  integerOf(node, 'transB', 0) === 0 &&
  !node.attribute.some(({ name }) => name === 'alpha' || name === 'beta')

/** Of an activation that is zero below zero, and undefined for other nodes. */
function mostOf({ opType, input }: NodeProto, constants: Constants): number | undefined {
  if (opType === 'Relu') return Number.POSITIVE_INFINITY
  if (opType !== 'Clip') return undefined
  const [least, most] = [scalar(constants, input[1]), scalar(constants, input[2])]
  return least === 0 ? most : undefined
}

function scalar(constants: Constants, name = ''): number | undefined {
  const { dataType, rawData } = constants.get(name) ?? {}
  if (dataType !== FLOAT || rawData?.length !== 4) return undefined
  return Buffer.from(rawData).readFloatLE(0)
}

/**
 * Puts each 1 × 1 convolution before the average pooling whose result it takes. Both orders give the same numbers, because
 * the weights of an average sum to one. The convolution has fewer channels after it than before, mostly.
 */
export function withAveragesLast(graph: FloatGraph): FloatGraph {
  const consumers = consumersIn(graph.nodes)
  const served = new Set(graph.outputs.map(({ name }) => name))
  const nodes = [...graph.nodes]
  for (const pool of graph.nodes) {
    const pooled = outputOf(pool)
    const [conv, another] = consumers.get(pooled) ?? []
    if (pool.opType !== 'AveragePool' || !conv || another || served.has(pooled)) continue
    if (integerOf(pool, 'count_include_pad', 0) !== 0 || conv.opType !== 'Conv' || !isPointwise(conv, graph))
      continue
    const [at, end] = [nodes.indexOf(pool), nodes.indexOf(conv)]
    const result = outputOf(conv)
    const between = `${result} before the average`
    nodes[at] = { ...conv, input: [pool.input[0] ?? '', ...conv.input.slice(1)], output: [between] }
    nodes[end] = { ...pool, input: [between], output: [result] }
  }
  return { ...graph, nodes }
}

function isPointwise(conv: NodeProto, { constants }: FloatGraph): boolean {
  const { dims = [] } = constants.get(conv.input[1] ?? '') ?? {}
  const all = (name: string, value: number) => (integersOf(conv, name) ?? []).every((one) => one === value)
  return (
    dims.length === 4 &&
    dims[2] === 1 &&
    dims[3] === 1 &&
    integerOf(conv, 'group', 1) === 1 &&
    all('strides', 1) &&
    all('pads', 0)
  )
}

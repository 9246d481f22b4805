import { ANY_SIZE, type Layer, type LayerList } from '../../models/networks/layer-list.ts'
import { listNames, loadError, quote, unsupported } from '../source/model-file-error.ts'
import type { SourceArray, SourceGroup } from '../source/source-array.ts'
import { type GraphNode, shapeOf } from './graph-node.ts'
import { TRANSLATIONS } from './graph-translations.ts'
import type { Translating } from './translating.ts'

/** An array of the manifest, which is the value of a node `Const`. */
export type Constants = ReadonlyMap<string, SourceArray>

export interface GraphRequest {
  /** For messages. */
  readonly what: string
  readonly nodes: ReadonlyMap<string, GraphNode>
  readonly constants: Constants
  /** The name of the node whose output is the answer. */
  readonly output: string
  /** The shape of the input with the batch, if the node does not say. */
  readonly inputShape: readonly number[] | undefined
}

/** The layers of Keras that compute the same as a TensorFlow graph, with the arrays of each layer. */
export interface GraphLayers {
  readonly list: LayerList
  readonly groups: readonly SourceGroup[]
}

export async function graphLayers(request: GraphRequest): Promise<GraphLayers> {
  const { nodes, constants, what } = request
  const order = inOrder(request)
  mustBeKnown(order, what)
  const layers: Layer[] = []
  const groups: SourceGroup[] = []
  /** The layer that has the output of each node. */
  const made = new Map<string, string>()
  let inputShape: readonly number[] | undefined
  for (const node of order) {
    if (constants.has(node.name)) continue
    if (node.op === 'Placeholder') {
      if (inputShape) throw unsupported(`${what} has several inputs; models with one can be served.`)
      inputShape = inputOf(node, request)
      layers.push({ name: node.name, className: 'InputLayer', config: {}, inputs: [] })
      made.set(node.name, node.name)
      continue
    }
    const translating = translatingFor(node)
    made.set(node.name, (await TRANSLATIONS.get(node.op)?.(translating)) ?? '')
  }
  if (!inputShape) throw loadError(`${what} has no input.`)
  return { list: { inputShape, layers, output: made.get(request.output) ?? '' }, groups }

  async function numberIn(name: string): Promise<number> {
    const array = constants.get(through(name, nodes))
    const node = nodes.get(name)
    const [number = -1] = array && node ? await smallNumbers(array, node) : []
    return number
  }

  function translatingFor(node: GraphNode): Translating {
    const aliased = (index: number) => through(node.inputs[index] ?? '', nodes)
    const constant = (index: number) => constants.get(aliased(index))
    let parts = 0
    return {
      node,
      constant,
      layer(index) {
        const name = made.get(node.inputs[index] ?? '')
        if (name) return name
        throw unsupported(
          `The node ${quote(node.name)} (${node.op}) of ${what} takes no output of a layer, which cannot be served.`,
        )
      },
      async numbers(index) {
        const array = constant(index)
        if (array) return smallNumbers(array, node)
        const packed = nodes.get(aliased(index))
        if (packed?.op === 'Pack') return Promise.all(packed.inputs.map((input) => numberIn(input)))
        throw unsupported(
          `The node ${quote(node.name)} (${node.op}) of ${what} takes input ${index} from a computation; it must be constant.`,
        )
      },
      add(className, config, inputs, arrays = []) {
        const name = parts++ === 0 ? node.name : `${node.name}/${parts}`
        layers.push({ name, className, config, inputs })
        if (arrays.length > 0) groups.push({ name, arrays })
        return name
      },
    }
  }
}

/** Shapes, axes and paddings have at most eight numbers. */
const MOST_NUMBERS = 64

async function smallNumbers(array: SourceArray, { name, op }: GraphNode): Promise<number[]> {
  const length = array.shape.reduce((all, size) => all * size, 1)
  if (length <= MOST_NUMBERS) return [...(await array.read())]
  throw unsupported(`The node ${quote(name)} (${op}) takes ${length} numbers where a few must be.`)
}

/** Operators that only pass a value on. */
const PASSING: ReadonlySet<string> = new Set(['Identity', 'StopGradient', 'PreventGradient', 'Snapshot'])

function through(name: string, nodes: ReadonlyMap<string, GraphNode>): string {
  let current = name
  for (let node = nodes.get(current); node && PASSING.has(node.op); node = nodes.get(current)) {
    current = node.inputs[0] ?? ''
  }
  return current
}

/** The nodes that the output needs, each after its inputs. */
function inOrder({ nodes, output, what }: GraphRequest): GraphNode[] {
  const ordered: GraphNode[] = []
  const states = new Map<string, 'open' | 'done'>()
  const waiting = [output]
  for (let name = waiting.at(-1); name !== undefined; name = waiting.at(-1)) {
    const node = nodes.get(name)
    if (!node) throw loadError(`${what} has no node ${quote(name)}, which another node takes.`)
    if (states.get(name) === 'done') {
      waiting.pop()
      continue
    }
    const missing = node.inputs.filter((input) => states.get(input) !== 'done')
    if (missing.length === 0) {
      states.set(name, 'done')
      ordered.push(node)
      waiting.pop()
      continue
    }
    if (states.get(name) === 'open')
      throw loadError(`The nodes of ${what} wait for each other: ${quote(name)}.`)
    states.set(name, 'open')
    waiting.push(...missing)
  }
  return ordered
}

/** All operations that cannot be translated are named at once. */
function mustBeKnown(nodes: readonly GraphNode[], what: string): void {
  const unknown = nodes.filter(({ op }) => !TRANSLATIONS.has(op) && op !== 'Placeholder' && op !== 'Const')
  if (unknown.length === 0) return
  const ops = [...new Set(unknown.map(({ op }) => op))].join(', ')
  throw unsupported(
    `${what} has operations that cannot be served: ${ops} (${listNames(unknown.map(({ name }) => name))}). Export the model as a layers model, or to ONNX.`,
  )
}

function inputOf(node: GraphNode, { inputShape, what }: GraphRequest): number[] {
  const sizes = (shapeOf(node) ?? inputShape ?? []).slice(1)
  const shape = sizes.map((size, axis) => (size < 1 && sizes.length === 3 && axis < 2 ? ANY_SIZE : size))
  if (shape.length > 0 && shape.every((size) => size > 0)) return shape
  throw unsupported(`The input ${quote(node.name)} of ${what} has no fixed shape.`)
}

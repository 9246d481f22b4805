import { loadError, quote, unsupported } from '../source/model-file-error.ts'
import { field, isObject } from '../source/parse-json.ts'

/** The names of the layers whose outputs are a layer's inputs. */
export function inboundLayers(layer: string, nodes: unknown): string[] {
  if (nodes === undefined) return []
  if (!Array.isArray(nodes)) throw malformed(layer)
  if (nodes.length === 0) return []
  if (nodes.length > 1) {
    throw unsupported(
      `Layer ${quote(layer)} is used ${nodes.length} times in the model; a layer that is used once can be served.`,
    )
  }
  const [node] = nodes as unknown[]
  return isObject(node) ? newForm(layer, node) : oldForm(layer, node)
}

/** [[name, node, tensor, { training: false }], …] */
function oldForm(layer: string, node: unknown): string[] {
  if (!Array.isArray(node)) throw malformed(layer)
  return node.map((entry: unknown) => {
    if (!Array.isArray(entry)) throw malformed(layer)
    mustBeHarmless(layer, entry[3])
    return reference(layer, entry)
  })
}

/** { args: [tensor] or [[tensor, tensor]], kwargs: {} } */
function newForm(layer: string, node: object): string[] {
  const args = field(node, 'args')
  if (!Array.isArray(args)) throw malformed(layer)
  mustBeHarmless(layer, field(node, 'kwargs'))
  return args.flatMap((arg: unknown) =>
    Array.isArray(arg) ? arg.map((inner: unknown) => tensor(layer, inner)) : [tensor(layer, arg)],
  )
}

function tensor(layer: string, value: unknown): string {
  if (field(value, 'class_name') !== '__keras_tensor__') {
    throw unsupported(`Layer ${quote(layer)} is called with something that is not another layer's output.`)
  }
  const history = field(field(value, 'config'), 'keras_history')
  if (!Array.isArray(history)) throw malformed(layer)
  return reference(layer, history)
}

/** [name, node, tensor]. The node does not matter: a layer that is used twice is refused. */
function reference(layer: string, [name, , tensorIndex]: unknown[]): string {
  if (typeof name !== 'string') throw malformed(layer)
  if (tensorIndex === 0) return name
  throw unsupported(
    `Layer ${quote(layer)} takes output ${quote(tensorIndex)} of layer ${quote(name)}; only output 0 can be served.`,
  )
}

/** Refuses arguments that could change what the layer computes; training: false does not. */
function mustBeHarmless(layer: string, kwargs: unknown): void {
  if (kwargs === undefined || kwargs === null) return
  if (!isObject(kwargs)) throw malformed(layer)
  const [other] = Object.entries(kwargs).filter(
    ([key, value]) => value !== null && !(key === 'training' && value === false),
  )
  if (other) throw unsupported(`Layer ${quote(layer)} is called with the argument ${quote(other[0])}.`)
}

function malformed(layer: string) {
  return loadError(`The inbound_nodes of layer ${quote(layer)} are not in a form that Keras writes.`)
}

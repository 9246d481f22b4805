import { readFileSync } from 'node:fs'
import type { Layer, LayerList } from '../../pipeline/models/networks/layer-list.ts'
import { kerasFields } from '../../pipeline/weights/keras/keras-fields.ts'

interface KerasLayer {
  class_name: string
  name?: string
  config: Record<string, unknown> & { name?: string; layers?: KerasLayer[] }
  inbound_nodes?: unknown
}

/** The layer list of a well-formed topology that Keras wrote. Only for tests: nothing is checked. */
export function topologyOf(path: string): LayerList {
  const { config } = JSON.parse(readFileSync(path, 'utf8')) as KerasLayer
  const layers: Layer[] = []
  const outputs = new Map<string, string>()
  add(config.layers ?? [], layers, outputs)
  const [input] = layers
  const shape = (input?.config.batch_input_shape ?? input?.config.batch_shape) as number[]
  return { inputShape: shape.slice(1), layers, output: layers.at(-1)?.name ?? '' }
}

function add(
  from: readonly KerasLayer[],
  layers: Layer[],
  outputs: Map<string, string>,
  outer?: string,
): void {
  let before = outer === undefined ? [] : [outer]
  for (const { class_name: className, config, ...layer } of from) {
    const name = layer.name ?? String(config.name)
    const inbound = namesIn(layer.inbound_nodes).map((input) => outputs.get(input) ?? input)
    const inputs = layer.inbound_nodes ? inbound : before
    before = [name]
    if (config.layers) {
      const [inner, ...rest] = config.layers
      if (inner?.class_name !== 'InputLayer') throw new Error('an inner model must begin with its input')
      add(rest, layers, outputs, inputs[0])
      outputs.set(name, layers.at(-1)?.name ?? '')
      continue
    }
    layers.push({
      name,
      className,
      config: className === 'InputLayer' ? config : kerasFields(name, className, config),
      inputs,
    })
  }
}

/** Keras 2 writes [[[name, node, tensor, {}], …]]; Keras 3 writes nested tensors, each with a keras_history. */
function namesIn(node: unknown): string[] {
  if (Array.isArray(node)) {
    if (typeof node[0] === 'string' && typeof node[1] === 'number') return [node[0]]
    return node.flatMap(namesIn)
  }
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) =>
    key === 'keras_history' ? [(value as string[])[0] ?? ''] : namesIn(value),
  )
}

import { onnxGraph } from '../../pipeline/graph/onnx-graph.ts'
import { expectedArrays, inferShapes } from '../../pipeline/graph/shapes.ts'
import type { WeightStore } from '../../pipeline/graph/weight-store.ts'
import type { LayerList } from '../../pipeline/models/networks/layer-list.ts'
import { type Emission, type Exporter, fail, type Tensor } from './emission.ts'
import { emitLayer } from './exported-layers.ts'

/**
 * A network as an exporter writes it, for comparisons: one node for each operation of the framework, nothing merged. It
 * is written here after the rules of the exporters, because they themselves run in Python only.
 */
export async function exportedGraph(
  list: LayerList,
  weights: WeightStore,
  exporter: Exporter,
  dataFile: string,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<Uint8Array> {
  const graph = onnxGraph(dataFile, write)
  const shapes = inferShapes(list)
  const arrays = expectedArrays(list)
  const [height = 1, width = 1, channels = 3] = list.inputShape
  const tensors = new Map<string, Tensor>()
  for (const layer of list.layers) {
    graph.label(layer.name)
    if (layer.className === 'InputLayer') {
      tensors.set(layer.name, { name: 'input', order: exporter === 'torch' ? 'planes' : 'pixels' })
      continue
    }
    const roles = arrays.get(layer.name)?.map(({ role }) => role) ?? []
    const emission: Emission = {
      graph,
      exporter,
      layer,
      inputs: layer.inputs.map((name) => tensors.get(name) ?? fail(`no input ${name}`)),
      shape: shapes.get(layer.name) ?? [],
      inputShape: shapes.get(layer.inputs[0] ?? '') ?? [],
      read: async (role) =>
        roles.includes(role) ? weights.read(layer.name, roles.indexOf(role)) : undefined,
    }
    tensors.set(layer.name, await emitLayer(emission))
  }
  const shape = exporter === 'torch' ? [channels, height, width] : [height, width, channels]
  const { name: tensor } = tensors.get(list.output) ?? fail('no output')
  const output = { name: 'output', tensor, shape: shapes.get(list.output) ?? [] }
  return graph.finish({ type: 'float32', shape }, [output])
}

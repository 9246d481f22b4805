import type { MakePipeline } from '../../broker/pipeline.ts'
import { expectedArrays } from '../graph/shapes.ts'
import { catalog } from '../models/catalog.ts'
import type { LayerList } from '../models/networks/layer-list.ts'

/** A pipeline without methods, whose info is the catalog. */
export async function makePipeline() {
  const models = [...catalog.values()].map(({ name, topology, preprocessing, bytes, url }) => {
    const network = topology()
    const [height, width] = network.inputShape
    return { name, width, height, parameters: parametersOf(network), preprocessing, bytes, url }
  })
  return { methods: [], info: { models } }
}

makePipeline satisfies MakePipeline

function parametersOf(network: LayerList): number {
  let count = 0
  for (const arrays of expectedArrays(network).values())
    for (const { shape } of arrays) count += shape.reduce((product, size) => product * size, 1)
  return count
}

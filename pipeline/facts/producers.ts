import type { OnnxNode, OnnxOutline } from '../weights/onnx/onnx-outline.ts'

/** The node that makes each tensor. */
export function producersIn({ nodes }: OnnxOutline): ReadonlyMap<string, OnnxNode> {
  return new Map(nodes.flatMap((node) => node.outputs.map((name): [string, OnnxNode] => [name, node])))
}

/** The nodes that take each tensor. */
export function consumersIn({ nodes }: OnnxOutline): ReadonlyMap<string, readonly OnnxNode[]> {
  const consumers = new Map<string, OnnxNode[]>()
  for (const node of nodes) {
    for (const name of node.inputs) {
      const others = consumers.get(name)
      if (others) others.push(node)
      else consumers.set(name, [node])
    }
  }
  return consumers
}

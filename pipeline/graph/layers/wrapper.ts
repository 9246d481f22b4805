import { elements } from '../axes.ts'
import type { Kind, Plan } from '../kind.ts'
import { kind } from '../kind.ts'
import { layerError, notSupported } from '../layer-config.ts'
import { innerLayer, unused } from '../options.ts'
import { plain, plainValue, reshape } from '../value.ts'

/** The part of a wrapper that has the arrays of the layer inside. */
const PART = 'layer'

function withPart(plan: Plan): Plan {
  return { ...plan, arrays: (plan.arrays ?? []).map((array) => ({ ...array, part: PART })) }
}

/** When predicting, the layer inside, as it is. */
const spectralNormalization = kind(
  { layer: innerLayer, power_iterations: unused },
  ({ layer: inner }, inputs, _, plan) => withPart(plan(inner, inputs)),
)

/** Applies a layer to each part of its input along the first axis after the batch. */
const timeDistributed = kind({ layer: innerLayer }, ({ layer: inner }, [x], layer, planInner) => {
  const [times, ...each] = x.shape
  if (times === undefined || each.length === 0) throw layerError(layer, 'its input has no axis of time')
  const plan = planInner(inner, [{ shape: each, batched: true }])
  if (plan.unbatched) throw notSupported(layer, 'its layer does not depend on its input')
  const shape = [times, ...plan.shape]
  const { foldable: _, affine: __, ...rest } = withPart(plan)
  return {
    ...rest,
    shape,
    async emit(emission) {
      const { graph, inputs } = emission
      const apart = graph.node('Reshape', [plain(graph, inputs[0]), graph.integers([-1, ...each])])
      const value = await plan.emit({ ...emission, inputs: [plainValue(each, apart)] })
      const flat = plain(graph, reshape(graph, value, [elements(plan.shape)]))
      const together = graph.node('Reshape', [flat, graph.integers([-1, ...shape])])
      return plainValue(shape, together, { nonNegative: value.nonNegative })
    },
  }
})

export const WRAPPERS: readonly (readonly [string, Kind])[] = [
  ['SpectralNormalization', spectralNormalization],
  ['TimeDistributed', timeDistributed],
]

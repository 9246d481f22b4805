import { PipelineError } from '../errors.ts'
import { ANY_SIZE, type Layer, type LayerList } from '../models/networks/layer-list.ts'
import { elements } from './axes.ts'
import type { Operand, Plan, PlanInner, Shape } from './kind.ts'
import { kindOf } from './kinds.ts'
import { layerError, notSupported, shapeText } from './layer-config.ts'
import { checkLayer, unsupportedLayer } from './supported-layers.ts'

/** What each layer computes, by the layer's name. Only computes sizes, allocates nothing. */
export function planLayers(list: LayerList): ReadonlyMap<string, Plan> {
  // All classes and options that Tandem does not have are reported together, before any other mistake.
  refuseAll(list.layers.flatMap(problemOf))
  const plans = new Map<string, Plan>()
  for (const layer of list.layers) {
    if (plans.has(layer.name)) throw layerError(layer, 'there are two layers of this name')
    plans.set(layer.name, checked(layer, planned(layer, list, plans)))
  }
  const last = list.layers.at(-1)
  for (const output of [list.output, ...(list.outputs ?? [])]) {
    if (last && !plans.has(output))
      throw layerError(last, `the output must be one of the layers, and is '${output}'`)
  }
  return plans
}

/** A message lists no more: a model of a thousand unknown layers would fill the log. */
const MOST_LISTED = 20

function problemOf(layer: Layer): PipelineError[] {
  try {
    checkLayer(layer)
    return []
  } catch (error) {
    if (error instanceof PipelineError) return [error]
    throw error
  }
}

function refuseAll(problems: readonly PipelineError[]): void {
  const [first] = problems
  if (!first) return
  if (problems.length === 1) throw first
  const different = [...new Set(problems.map(({ message }) => message))]
  const more = different.length > MOST_LISTED ? ` And ${different.length - MOST_LISTED} more.` : ''
  const message = `${problems.length} layers cannot be taken. ${different.slice(0, MOST_LISTED).join(' ')}${more}`
  throw new PipelineError(first.code, message)
}

function planned(layer: Layer, list: LayerList, plans: ReadonlyMap<string, Plan>): Plan {
  if (layer.className === 'InputLayer') {
    if (plans.size > 0) throw notSupported(layer, 'it is a second input')
    return {
      shape: list.inputShape,
      emit: () => {
        throw new Error('an input is not emitted')
      },
    }
  }
  const inputs = layer.inputs.map((name): Operand => {
    const plan = plans.get(name)
    if (plan) return { shape: plan.shape, batched: plan.unbatched !== true }
    throw layerError(layer, `its input '${name}' is not a layer that comes before it`)
  })
  return planLayer(layer, inputs)
}

export function planLayer(layer: Layer, inputs: readonly Operand[]): Plan {
  const kind = kindOf(layer.className)
  if (!kind) throw unsupportedLayer(layer)
  return kind.plan(layer, inputs, planInner)
}

const planInner: PlanInner = (layer, inputs) => planLayer(layer, inputs)

/** Throws unless the number of elements is a safe integer, so that later products of sizes are exact. */
function checked(layer: Layer, plan: Plan): Plan {
  const shape: Shape = plan.shape
  if (layer.className === 'InputLayer' && shape.includes(ANY_SIZE))
    throw notSupported(
      layer,
      'it takes images of any size; set "size" to [height, width] in the JSON file of the model',
    )
  if (!shape.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw layerError(layer, `its output would have the shape ${shapeText(shape)}`)
  }
  if (!Number.isSafeInteger(elements(shape)))
    throw layerError(layer, `an output of shape ${shapeText(shape)} is too large`)
  return plan
}

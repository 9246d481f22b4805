import { planLayers } from '../../pipeline/graph/plan-layers.ts'
import { formNamed, type WinogradForm } from '../../pipeline/graph/winograd/form.ts'
import type { LayerList } from '../../pipeline/models/networks/layer-list.ts'

/** The same form for every convolution that can have one. */
export function allByWinograd(list: LayerList, name: string): Map<string, WinogradForm> {
  const form = formNamed(name)
  if (!form) throw new Error(`${name} is no form`)
  const plans = planLayers(list)
  return new Map(list.layers.flatMap(({ name }) => (plans.get(name)?.winograd ? [[name, form]] : [])))
}

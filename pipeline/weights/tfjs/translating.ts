import type { Layer } from '../../models/networks/layer-list.ts'
import type { SourceArray } from '../source/source-array.ts'
import type { GraphNode } from './graph-node.ts'

/** What a translation of one node gets, and what it adds. */
export interface Translating {
  readonly node: GraphNode
  /** The layer whose output is an input; throws if the input is constant. */
  layer(index: number): string
  /** A constant input; undefined if the input is computed. */
  constant(index: number): SourceArray | undefined
  /** The numbers of a constant input; -1 for each that is computed, such as the batch in a shape. */
  numbers(index: number): Promise<number[]>
  /** Adds a layer, named after the node, and returns the name. */
  add(
    className: string,
    config: Layer['config'],
    inputs: readonly string[],
    arrays?: readonly SourceArray[],
  ): string
}

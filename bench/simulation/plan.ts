import type { Measured } from './measured.ts'

export interface PlanOptions {
  readonly measured: Measured
  /** images per second of one model host */
  readonly hostRate: number
  /** the part of a capacity that the plan uses */
  readonly load: number
  /** calls per second of one cell */
  readonly cellRate: number
  /** nodes of RabbitMQ in one cell */
  readonly nodes: number
}

export interface CellPlan {
  readonly rate: number
  /** with one cell more than the rate needs, where there is more than one */
  readonly cells: number
  readonly perCell: number
  readonly nodes: number
  readonly webHosts: number
  readonly modelHosts: number
  /** megabytes of images per second into one RabbitMQ, and as many out of it */
  readonly megabytes: number
  /** how many times as many calls a cell gets after another cell is lost */
  readonly afterLoss: number
}

/** The hosts for so many images a second. Every cell has the hosts for its part after the loss of another cell. */
export function planFor(rate: number, options: PlanOptions): CellPlan {
  const { measured, hostRate, load, cellRate, nodes } = options
  const needed = Math.ceil(rate / cellRate)
  const cells = needed + 1
  const perCell = rate / cells
  const afterLoss = rate / (cells - 1)
  return {
    rate,
    cells,
    perCell,
    nodes: cells * nodes,
    webHosts: cells * Math.ceil(afterLoss / (measured.webPerCore * load)),
    modelHosts: cells * Math.ceil(afterLoss / (hostRate * load)),
    megabytes: (afterLoss * measured.bytes) / 1e6,
    afterLoss: afterLoss / perCell,
  }
}

import type { AddedLatency } from './added-latency.ts'
import type { Failover } from './failover.ts'
import type { Faults } from './faults.ts'
import type { SaturationRow } from './saturation.ts'
import type { ThroughputRow } from './throughput.ts'
import type { WebHostFigures } from './web-host.ts'

/** What one run of the bench has measured; undefined parts were not asked for. */
export interface Figures {
  readonly machine: string
  readonly msPerImage: number
  readonly bytes: number
  readonly throughput: readonly ThroughputRow[] | undefined
  readonly latency: AddedLatency | undefined
  readonly failover: Failover | undefined
  readonly web: WebHostFigures | undefined
  readonly saturation: readonly SaturationRow[] | undefined
  readonly faults: Faults
}

import { FleetBroker } from '../../fleet/fleet-broker.ts'
import { WebHost } from '../../fleet/web-host.ts'
import type { RabbitMq } from '../../test/support/rabbitmq.ts'
import { HostProcesses } from './host-processes.ts'

/** More than all callers of the bench: a full queue is no part of these measurements. */
export const MAX_QUEUE = 20_000

export interface BenchFleet {
  readonly broker: FleetBroker
  readonly hosts: HostProcesses
  growTo(count: number): Promise<void>
  close(): Promise<void>
}

/** A caller in this process, and model hosts in processes of their own. Each fleet has a queue of its own. */
export async function startFleet(
  { url }: RabbitMq,
  pipeline: string,
  count: number,
  msPerInput: number | 'instant',
): Promise<BenchFleet> {
  const hosts = new HostProcesses({ url, pipeline, maxQueue: MAX_QUEUE, msPerInput })
  const broker = new FleetBroker(new WebHost({ url, maxQueue: MAX_QUEUE, name: 'bench' }), pipeline)
  const isKnown = (names: readonly string[]) => {
    const known = broker.stats().fleet?.hosts.filter(({ state }) => state === 'ready')
    return names.every((name) => known?.some((host) => host.name === name))
  }
  const fleet: BenchFleet = {
    broker,
    hosts,
    growTo: (wanted) => hosts.growTo(wanted, isKnown),
    async close() {
      await broker.close()
      await hosts.stop()
    },
  }
  void broker.start().catch(() => undefined)
  await fleet.growTo(count)
  return fleet
}

import { Counter, Gauge, type Registry } from 'prom-client'
import type { Calls, FleetStats, HostStats } from '../../broker/broker.ts'
import type { ModelHost, ModelHostStats } from '../../fleet/fleet.ts'

type Brokers = ReadonlyMap<string, Calls>

/** The figures of a web host about model hosts and RabbitMQ. Where children compute the predictions, there are none. */
export function gaugeFleet(brokers: Brokers, registry: Registry): void {
  const fleets = () =>
    [...brokers].flatMap(([model, broker]) => {
      const { fleet } = broker.stats()
      return fleet ? [{ model, fleet }] : []
    })
  if (fleets().length === 0) return
  const gauge = (name: string, help: string, read: (fleet: FleetStats) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['model'],
      registers: [registry],
      collect() {
        for (const { model, fleet } of fleets()) this.set({ model }, read(fleet))
      },
    })
  gauge('tandem_fleet_connected', '1 while connected to RabbitMQ, else 0', ({ connected }) =>
    Number(connected),
  )
  gauge('tandem_fleet_blocked', '1 while RabbitMQ accepts no messages, else 0', ({ blocked }) =>
    Number(blocked !== null),
  )
  gauge(
    'tandem_fleet_waiting',
    "Calls of all web hosts in RabbitMQ's queue",
    ({ waiting }) => waiting ?? Number.NaN,
  )
  gauge(
    'tandem_fleet_oldest_seconds',
    'Age of the oldest pending call of this web host',
    ({ oldest }) => oldest / 1000,
  )
  const count = (name: string, help: string, read: (fleet: FleetStats) => number) =>
    new Counter({
      name,
      help,
      labelNames: ['model'],
      registers: [registry],
      collect() {
        this.reset()
        for (const { model, fleet } of fleets()) this.inc({ model }, read(fleet))
      },
    })
  count(
    'tandem_fleet_reconnects_total',
    'How many times the connection came back',
    ({ reconnects }) => reconnects,
  )
  count('tandem_fleet_returned_total', 'Calls that no queue takes', ({ returned }) => returned)
  count(
    'tandem_fleet_refused_total',
    'Calls that RabbitMQ has refused because the queue is full',
    ({ refused }) => refused,
  )
  count(
    'tandem_fleet_republished_total',
    'Calls published again after a reconnect',
    ({ republished }) => republished,
  )
  gaugeHosts(fleets, registry)
}

/** One row per model host. Hosts that are gone disappear, so that the number of rows stays that of the hosts. */
function gaugeHosts(fleets: () => { model: string; fleet: FleetStats }[], registry: Registry): void {
  const gauge = (name: string, help: string, read: (host: HostStats) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['model', 'host'],
      registers: [registry],
      collect() {
        this.reset()
        for (const { model, fleet } of fleets())
          for (const [host, stats] of labelled(fleet.hosts)) this.set({ model, host }, read(stats))
      },
    })
  gauge('tandem_fleet_host_ready', '1 if the model host is ready, else 0', ({ state }) =>
    Number(state === 'ready'),
  )
  gauge('tandem_fleet_host_children', 'Child processes of the model host', ({ children }) => children)
  gauge('tandem_fleet_host_in_flight', 'Calls that the model host holds', ({ inFlight }) => inFlight)
  gauge('tandem_fleet_host_rate', 'Answers of the model host per second', ({ rate }) => rate)
  gauge(
    'tandem_fleet_host_age_seconds',
    'Time since the last word of the model host',
    ({ age }) => age / 1000,
  )
}

/** Where hosts have the same name by mistake, their boot ids tell them apart: no figure must replace another. */
function labelled(hosts: readonly HostStats[]): [string, HostStats][] {
  const counts = new Map<string, number>()
  for (const { name } of hosts) counts.set(name, (counts.get(name) ?? 0) + 1)
  return hosts.map((host) => {
    const { name, boot } = host
    return [counts.get(name) === 1 ? name : `${name} ${boot}`, host]
  })
}

/** The figures of a model host about itself. */
export function gaugeModelHost(host: ModelHost, registry: Registry): void {
  const gauge = (name: string, help: string, read: (stats: ModelHostStats) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(host.stats()))
      },
    })
  gauge('tandem_host_connected', '1 while connected to RabbitMQ, else 0', ({ connected }) =>
    Number(connected),
  )
  gauge('tandem_host_blocked', '1 while RabbitMQ accepts no messages, else 0', ({ blocked }) =>
    Number(blocked !== null),
  )
  gauge('tandem_host_held', 'Calls that this host holds', ({ held }) => held)
  const count = (name: string, help: string, read: (stats: ModelHostStats) => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(read(host.stats()))
      },
    })
  count(
    'tandem_host_reconnects_total',
    'How many times the connection came back',
    ({ reconnects }) => reconnects,
  )
  count('tandem_host_answered_total', 'Calls that this host has answered', ({ answered }) => answered)
  count(
    'tandem_host_redelivered_total',
    'Calls taken over from another host',
    ({ redelivered }) => redelivered,
  )
  count(
    'tandem_host_repeated_total',
    'Calls that came twice, and were computed once',
    ({ repeated }) => repeated,
  )
  count(
    'tandem_host_dropped_total',
    'Calls that were cancelled or late, or whose web host has gone',
    ({ dropped }) => dropped,
  )
  count('tandem_host_malformed_total', 'Messages that were no calls', ({ malformed }) => malformed)
}

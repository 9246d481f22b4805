/** What `tandem-serve/fleet` exports: calls to pipelines on other hosts, through RabbitMQ. */
export type { FleetEvents } from './events.ts'
export { FleetBroker } from './fleet-broker.ts'
export { ModelHost, type ModelHostOptions, type ModelHostStats } from './model-host.ts'
export type { FleetOptions } from './options.ts'
export { WebHost } from './web-host.ts'

import type { Logger } from 'pino'
import type { Broker } from '../../broker/broker.ts'
import type { FleetEvents, ModelHost } from '../../fleet/fleet.ts'
import type { Config } from '../config/config.ts'
import { type Brokers, createBrokers, startBrokers } from './brokers.ts'

/** Where the predictions of this process are computed, and for whom. */
export interface Role {
  readonly brokers: Brokers
  /** only in the role `model` */
  readonly modelHost: ModelHost | undefined
  start(): void
}

/** A child can hold two batches. A local queue that is shorter would refuse calls that RabbitMQ has delivered. */
const BATCHES_IN_CHILD = 2

/** The code of the fleet is loaded only in the roles that need it. Each local pipeline gets the options in `more`, too. */
export async function callsOfRole(
  config: Config,
  log: Logger,
  more: Record<string, unknown> = {},
): Promise<Role> {
  if (config.role === 'web') return webRole(config, log)
  if (config.role === 'model') return modelRole(config, log, more)
  const brokers = createBrokers(config, more)
  return { brokers, modelHost: undefined, start: () => startAndTune(brokers, config, log) }
}

function startAndTune(brokers: ReadonlyMap<string, Broker>, config: Config, log: Logger): void {
  startBrokers(brokers, log)
  // A pipeline of the user has nothing to tune.
  if (config.tuningMs === 0 || config.pipeline !== '') return
  // Imported here, after the start of the children: nothing is tuned before they are ready.
  void import('./tuner.ts').then(({ Tuner }) => new Tuner(brokers, config, log).start())
}

async function webRole(config: Config, log: Logger): Promise<Role> {
  const { FleetBroker, WebHost } = await import('../../fleet/fleet.ts')
  const web = new WebHost(fleetOptions(config))
  logFleet(web, log)
  const brokers: Brokers = new Map(config.models.map(({ name }) => [name, new FleetBroker(web, name)]))
  return { brokers, modelHost: undefined, start: () => startBrokers(brokers, log) }
}

async function modelRole(config: Config, log: Logger, more: Record<string, unknown>): Promise<Role> {
  const { ModelHost } = await import('../../fleet/fleet.ts')
  const { workers, maxBatch, maxQueue, hostPriority } = config
  const held = workers * maxBatch * BATCHES_IN_CHILD
  const brokers = createBrokers({ ...config, maxQueue: Math.max(maxQueue, held) }, more)
  const modelHost = new ModelHost({ ...fleetOptions(config), pipelines: brokers, priority: hostPriority })
  logFleet(modelHost, log)
  return {
    brokers,
    modelHost,
    start() {
      startAndTune(brokers, config, log)
      modelHost.start()
    },
  }
}

function fleetOptions({ amqpUrl, hostName, queueType, maxQueue, maxQueueBytes, deadlineMs }: Config) {
  return {
    url: amqpUrl,
    ...(hostName !== '' && { name: hostName }),
    queueType,
    maxQueue,
    maxQueueBytes,
    deadline: deadlineMs,
  }
}

interface FleetEmitter {
  on<Name extends keyof FleetEvents>(name: Name, listener: (...event: FleetEvents[Name]) => void): unknown
}

function logFleet(fleet: FleetEmitter, log: Logger): void {
  // An attempt is made every second; the same reason is logged once.
  let reason = ''
  fleet.on('up', () => {
    reason = ''
    log.info('connected to RabbitMQ')
  })
  fleet.on('down', ({ message }) => log.warn({ reason: message }, 'connection to RabbitMQ lost'))
  fleet.on('unreachable', ({ message }) => {
    if (message !== reason) log.warn({ reason: message }, 'no connection to RabbitMQ')
    reason = message
  })
  fleet.on('blocked', (why) => log.warn({ reason: why }, 'RabbitMQ accepts no messages'))
  fleet.on('unblocked', () => log.info('RabbitMQ accepts messages again'))
  fleet.on('differs', (queue) =>
    log.warn({ queue }, 'the queue exists with other bounds, and is used as it is; delete it to change them'),
  )
}

#!/usr/bin/env node
import { createApp } from './lib/app.ts'
import { createBrokers, startBrokers } from './lib/brokers.ts'
import { configOfThisProcess } from './lib/config.ts'
import { drainOnSignal } from './lib/drain.ts'
import { createLog } from './lib/log.ts'
import { createMetrics } from './lib/metrics.ts'
import { preload } from './lib/preload.ts'
import { listen } from './lib/server.ts'
import type { ServiceState } from './lib/state.ts'

// The web process: it listens at once, the models load behind it, and /readyz says how far they are.
const config = configOfThisProcess()
const log = await createLog(config)
const service: ServiceState = { draining: false }

const brokers = createBrokers(config)
const metrics = createMetrics(brokers)
const app = createApp({ config, brokers, log, metrics, service })

const server = await listen(app.callback(), config, log)
drainOnSignal({ server, brokers, config, log, service })
startBrokers(brokers, log)
preload()

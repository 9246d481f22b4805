#!/usr/bin/env node
import { createApp } from './lib/app.ts'
import { configOfThisProcess } from './lib/config/config.ts'
import type { ServiceState } from './lib/http/context.ts'
import { createBrokers, startBrokers } from './lib/models/brokers.ts'
import { drainOnSignal } from './lib/process/drain.ts'
import { createLog } from './lib/process/log.ts'
import { preload } from './lib/process/preload.ts'
import { listen } from './lib/process/server.ts'
import { createMetrics } from './lib/status/metrics.ts'

// The web process: it listens at once, the models load behind it, and /readyz says how far they are.
const config = configOfThisProcess()
const log = createLog(config)
const service: ServiceState = { draining: false }

const brokers = createBrokers(config)
const metrics = createMetrics(brokers)
const app = createApp({ config, brokers, log, metrics, service })

const server = await listen(app.callback(), config, log)
drainOnSignal({ server, brokers, config, log, service })
startBrokers(brokers, log)
preload()

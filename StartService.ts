#!/usr/bin/env node
import { createApp } from './lib/app.ts'
import { configOfThisProcess } from './lib/config/config.ts'
import { createBrokers, startBrokers } from './lib/models/brokers.ts'
import { drainOnSignal } from './lib/process/drain.ts'
import { createLog } from './lib/process/log.ts'
import { preload } from './lib/process/preload.ts'
import { listen } from './lib/process/server.ts'
import { createService } from './lib/service.ts'

// The web process listens at once; the models load in child processes, and /readyz shows their progress.
const config = configOfThisProcess()
const log = createLog(config)
const brokers = createBrokers(config)
const service = createService(config, brokers, log)
const app = createApp(service, log)

const server = await listen(app.callback(), config, log)
drainOnSignal({ server, service, log })
startBrokers(brokers, log)
preload()

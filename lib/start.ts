import { createApp } from './app.ts'
import { configOfThisProcess } from './config/config.ts'
import { callsOfRole } from './models/calls-of-role.ts'
import { drainOnSignal } from './process/drain.ts'
import { createLog } from './process/log.ts'
import { preload } from './process/preload.ts'
import { listen } from './process/server.ts'
import { createService } from './service.ts'

/** The web process listens at once; the models load in child processes, and /readyz shows their progress. */
export async function start(argv: readonly string[]): Promise<void> {
  const config = configOfThisProcess(argv)
  const log = createLog(config)
  const role = await callsOfRole(config, log)
  const service = createService(config, role, log)
  const app = createApp(service, log)

  const server = await listen(app.callback(), config, log)
  drainOnSignal({ server, service, log })
  role.start()
  preload()
}

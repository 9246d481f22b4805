import { setImmediate as nextTurn } from 'node:timers/promises'
import { withResolvers } from '../broker/with-resolvers.ts'
import { keepCompiledCode } from './config/compiled-code.ts'
import { configOfThisProcess } from './config/config.ts'
import type { Handler } from './process/owed-bytes.ts'

/**
 * Runs the service. The web process listens at once; the models load in child processes, and /readyz shows their progress. A
 * request that comes before the application is loaded waits for a moment.
 */
export async function start(argv: readonly string[]): Promise<void> {
  const config = configOfThisProcess(argv)
  keepCompiledCode(config)

  const { createLog } = await import('./process/log.ts')
  const { callsOfRole } = await import('./models/calls-of-role.ts')
  const { listen } = await import('./process/server.ts')
  const { drainOnSignal, holdSignals } = await import('./process/drain.ts')
  const log = createLog(config)
  const role = await callsOfRole(config, log)
  const loaded = withResolvers<Handler>()
  const releaseSignals = holdSignals()
  const server = await listen(async (req, res) => (await loaded.promise)(req, res), config, log)

  // The models before the application: their processes load code and weights at the same time.
  role.start()
  // The imports below block the event loop, and the log is written between two turns of the loop.
  await nextTurn()

  const { createApp } = await import('./app.ts')
  const { createService } = await import('./service.ts')
  const { preload } = await import('./process/preload.ts')
  const service = createService(config, role, log)
  loaded.resolve(createApp(service, log).callback())
  drainOnSignal({ server, service, log })
  releaseSignals()
  preload()
}

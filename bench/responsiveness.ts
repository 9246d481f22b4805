import { Agent } from 'node:http'
import { fileURLToPath } from 'node:url'
import { send, startService } from './http.ts'
import { percentile, table } from './statistics.ts'

const CALLERS = 32
const MEASURE_MS = 15_000
// The pause between an answer and the next request: often, like a page or a load balancer, but no busy loop.
const PAUSE_MS = 5

/** Measures the answers of the web process while its child burns CPU without a pause and 32 callers wait. */
export async function measureResponsiveness(): Promise<string> {
  const service = await startService({
    MODELS: 'burn',
    PIPELINE: fileURLToPath(new URL('./peers/burn-pipeline.ts', import.meta.url)),
  })
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS + 4 })
  const end = performance.now() + MEASURE_MS
  let predictions = 0
  const caller = async () => {
    while (performance.now() < end) {
      await send(`${service.url}/burn`, agent, 'input')
      predictions++
    }
  }
  const healthz: number[] = []
  const asker = async () => {
    while (performance.now() < end) {
      const start = performance.now()
      await send(`${service.url}/healthz`, agent)
      healthz.push(performance.now() - start)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
  await service.seen('model state', { state: 'ready' })
  await send(`${service.url}/burn`, agent, 'warm-up')
  await send(`${service.url}/metrics`, agent) // a scrape begins a new interval of the event-loop figures
  await Promise.all([asker(), ...Array.from({ length: CALLERS }, caller)])
  const metrics = await send(`${service.url}/metrics`, agent)
  agent.destroy()
  await service.stop()
  const delay = /^tandem_event_loop_delay_seconds\{quantile="0\.99"\} (\S+)/m.exec(metrics)?.[1]
  const row = (name: string, p50: string, p99: string) => [name, p50, p99]
  const rows = [
    row(
      `GET /healthz (${healthz.length} times)`,
      `${percentile(healthz, 0.5).toFixed(2)} ms`,
      `${percentile(healthz, 0.99).toFixed(2)} ms`,
    ),
    row('event-loop delay of the web process', '', `${(Number(delay) * 1000).toFixed(2)} ms`),
  ]
  const head = [`child busy all the time, ${CALLERS} callers, ${predictions} predictions`, 'p50', 'p99']
  return table(head, rows)
}

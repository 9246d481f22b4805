import { sleepUntil } from '../shared/sleep-until.ts'
import type { LevelRun } from './level-run.ts'
import { dealRoutes } from './scenario.ts'

/**
 * The open scenario: requests come at a constant rate, whether or not the ones before are answered. Latency counts from
 * the time at which a request was due. In the closed scenario, a server that stalls is sent nothing while it stalls, so
 * that most of the stall is measured by no request (coordinated omission).
 */
export async function openArrivals(run: LevelRun, perSecond: number, maxOpen: number): Promise<void> {
  const nextRoute = dealRoutes()
  const begin = performance.now()
  const open = new Set<Promise<void>>()
  for (let count = 0; ; count++) {
    const due = begin + (count * 1000) / perSecond
    if (due >= run.end || !(await sleepUntil(due, run.signal))) break
    run.recorder.late.add(performance.now() - due)
    if (open.size >= maxOpen) {
      run.notSent(nextRoute())
      continue
    }
    const request = run.request(nextRoute(), due)
    open.add(request)
    void request.then(() => open.delete(request))
  }
  await Promise.all(open)
}

import { sleepUntil } from '../shared/sleep-until.ts'
import type { ThinkTime } from './arguments.ts'
import type { LevelRun } from './level-run.ts'
import { dealRoutes, thinkMs } from './scenario.ts'

/**
 * A user of the closed scenario: sends a request, waits for the answer, thinks, and sends the next one. Each user comes
 * at a random time within the longest think time, so that not all of them press the button at once.
 */
export async function user(run: LevelRun, think: ThinkTime): Promise<void> {
  const nextRoute = dealRoutes()
  let due = performance.now() + thinkMs([0, think[1]])
  while (due < run.end && (await sleepUntil(due, run.signal))) {
    const sent = performance.now()
    run.recorder.late.add(sent - due)
    await run.request(nextRoute(), sent)
    due = performance.now() + thinkMs(think)
  }
}

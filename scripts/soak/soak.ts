import { checkout, machine } from '../shared/machine.ts'
import type { Plan } from './arguments.ts'
import { Asker } from './asker.ts'
import { caller, dealCards } from './callers.ts'
import { Killer } from './killer.ts'
import { servedModels } from './models.ts'
import { pageQuestions } from './page-questions.ts'
import { servePictures } from './picture-server.ts'
import { makePictures } from './pictures.ts'
import { predictionQuestions } from './prediction-questions.ts'
import { refusedQuestions } from './refused-questions.ts'
import { minutesText, type Report } from './report.ts'
import { type Sample, Sampler } from './sampler.ts'
import { ServiceProcess } from './service-process.ts'
import { HUNG_AFTER_MS, serviceSettings } from './service-settings.ts'
import { Tally } from './tally.ts'
import { checksOf, settleSecondsOf } from './verdict.ts'
import { endedBefore, waitUntilReady } from './wait-until-ready.ts'

export interface Surroundings {
  /** for models, weights and reports; removed by the caller */
  readonly folder: string
  /** the variables with which programs and files are found */
  readonly places: Readonly<Record<string, string>>
  /** ends the test early */
  readonly signal: AbortSignal
  readonly say: (sentence: string) => void
}

const SAY_EVERY_S = 10

/** Starts the service, learns the right answers, makes the test, and ends the service. */
export async function soak(plan: Plan, { folder, places, signal, say }: Surroundings): Promise<Report> {
  const models = servedModels(plan.models, folder)
  const pictures = await makePictures()
  const server = await servePictures([...pictures.photographs, ...pictures.digits])
  const settings = serviceSettings(models, plan.models !== undefined, folder, server)
  const service = new ServiceProcess(plan.program, plan.flags, { ...settings, ...places })
  try {
    const url = await service.listening()
    await waitUntilReady(url, service, signal)
    let killer: Killer | undefined
    const killsSince = (time: number) => killer?.since(time) ?? 0
    const asker = new Asker({ url, connections: plan.callers + 4, limitMs: HUNG_AFTER_MS, killsSince })
    const questions = [
      ...predictionQuestions(pictures, models, server),
      ...pageQuestions(models),
      ...refusedQuestions(pictures, server),
    ]
    say(`Learning the right answers to ${questions.length} requests.`)
    for (const question of questions) {
      if (signal.aborted) throw endedBefore()
      await asker.learn(question)
    }
    say(`Testing for ${minutesText(plan.seconds)}.`)
    const settleSeconds = settleSecondsOf(plan.seconds)
    killer = new Killer(service, settleSeconds)
    const measured = await load({ plan, settleSeconds, service, url, asker, killer, signal, say, questions })
    await asker.close()
    const exit = measured.isOver ? await service.exit : await service.stop()
    const { errors, childrenStarted, keptLines: logLines } = service
    const facts = {
      plan,
      machine: machine(),
      checkout: checkout(),
      settleSeconds,
      endedEarly: signal.aborted,
    }
    const { tally } = measured
    const told = { ...measured, all: tally.all, routes: tally.routes, faults: tally.faults }
    const about = { errors, exit, childrenStarted, logLines, kills: killer.kills }
    const checks = checksOf({ ...told, ...about, settleSeconds })
    return { ...facts, ...told, ...about, checks }
  } finally {
    if (service.isRunning) await service.stop()
    await server.close()
  }
}

interface Load {
  readonly plan: Plan
  readonly settleSeconds: number
  readonly service: ServiceProcess
  readonly url: URL
  readonly asker: Asker
  readonly killer: Killer
  readonly questions: Parameters<typeof dealCards>[0]
  readonly signal: AbortSignal
  readonly say: (sentence: string) => void
}

/** The test itself. `isOver`: the service ended by itself. */
async function load({ plan, settleSeconds, service, url, asker, killer, questions, signal, say }: Load) {
  const startedAt = new Date()
  const begin = performance.now()
  const times = { settled: begin + settleSeconds * 1000, end: begin + plan.seconds * 1000 }
  const tally = new Tally(questions, ({ at, outcome, route, why }) =>
    say(`${at.toFixed(1)} s: ${outcome}: ${route}: ${why}`),
  )
  const ended = new AbortController()
  void service.exit.then(() => ended.abort())
  const stop = AbortSignal.any([signal, ended.signal])
  stop.addEventListener('abort', () => asker.cut())
  const sampler = new Sampler(service, url, tally, (sample) => {
    if (Math.round(sample.at) % SAY_EVERY_S === 0) say(progress(sample))
  })
  const nextCard = dealCards(questions)
  await Promise.all([
    killer.run(plan.killEverySeconds, times.end, stop),
    ...Array.from({ length: plan.callers }, () => caller(asker, tally, nextCard, times, stop)),
  ])
  await sampler.close()
  const isOver = !service.isRunning
  return { startedAt, tally, samples: sampler.samples, seconds: (performance.now() - begin) / 1000, isOver }
}

function progress({ at, counts, web, children, open }: Sample): string {
  const { right, wrong, refused, lost, hung } = counts
  const memory = (bytes = Number.NaN) => `${Math.round(bytes / 2 ** 20)} MiB`
  return (
    `${Math.round(at)} s: ${right} right, ${wrong} wrong, ${refused} refused, ${lost} lost, ${hung} hung, ${open} open; ` +
    `web ${memory(web?.privateBytes)}, children ${children.map(({ privateBytes }) => memory(privateBytes)).join(' ')}`
  )
}

import { writeFileSync } from 'node:fs'
import { CommandError, EXIT } from '../shared/command-error.ts'
import { endEarly } from '../shared/end-early.ts'
import { checkout, machine } from '../shared/machine.ts'
import { canBeMarked } from '../shared/mark-picture.ts'
import { mustBeWritable } from '../shared/must-be-writable.ts'
import { photographs } from '../shared/photographs.ts'
import type { Picture } from '../shared/picture.ts'
import { type Plan, readArguments, STRESS_OPTIONS, USAGE } from './arguments.ts'
import { LiveTable } from './live-table.ts'
import { lookAtServer } from './look-at-server.ts'
import { pictureSource, picturesIn } from './pictures.ts'
import type { Report } from './report.ts'
import { reportHtml } from './report-html.ts'
import { reportMarkdown } from './report-markdown.ts'
import { type LevelResult, runLevel } from './run-level.ts'

const say = (sentence: string) => void process.stdout.write(`${sentence}\n`)

/** `tandem stress`, which reads its own arguments. */
export const stressCommand = {
  options: STRESS_OPTIONS,
  takesSettings: false,
  runArguments: (args: readonly string[]) =>
    stress(args).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error
      process.stderr.write(`${error.message}\n`)
      return error.exitCode
    }),
}

/** One level after the other, and the report anew after each of them. Gives the exit code. */
async function stress(args: readonly string[]): Promise<number> {
  const plan = readArguments(args, process.env)
  if (plan === undefined) {
    process.stdout.write(USAGE)
    return EXIT.passed
  }
  mustBeWritable(plan.report)
  const chosen = plan.images === undefined ? undefined : picturesIn(plan.images)
  const server = await lookAtServer(plan, say)
  const pictures = chosen ?? (await photographs())
  const signal = endEarly()
  const nextPicture = pictureSource(pictures, plan.same)
  const levels: LevelResult[] = []
  const startedAt = new Date()
  for (const level of plan.levels) {
    if (signal.aborted) break
    const live = new LiveTable(process.stdout, level, plan.secondsPerLevel)
    const onInterval = live.update.bind(live)
    levels.push(await runLevel({ plan, level, nextPicture, signal, onInterval, onEnd: live.end.bind(live) }))
    const sent = picturesSent(pictures, plan)
    const about = { machine: machine(), checkout: checkout(), server, pictures: sent }
    write({ plan, startedAt, levels, endedEarly: signal.aborted, ...about })
  }
  say(`The report is in ${plan.report}.html and ${plan.report}.md.`)
  if (signal.aborted) return EXIT.endedEarly
  return levels.some(({ all }) => all.failed > 0) ? EXIT.failed : EXIT.passed
}

function picturesSent(pictures: readonly Picture[], { same }: Plan): Report['pictures'] {
  const bytes = pictures.reduce((sum, picture) => sum + picture.bytes.length, 0)
  const repeated = pictures.filter((picture) => same || canBeMarked(picture.bytes) === undefined).length
  return { count: pictures.length, meanBytes: bytes / pictures.length, repeated }
}

function write(report: Report): void {
  writeFileSync(`${report.plan.report}.html`, reportHtml(report))
  writeFileSync(`${report.plan.report}.md`, reportMarkdown(report))
}

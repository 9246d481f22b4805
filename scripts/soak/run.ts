import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, EXIT } from '../shared/command-error.ts'
import { endEarly } from '../shared/end-early.ts'
import { mustBeWritable } from '../shared/must-be-writable.ts'
import { readArguments, USAGE } from './arguments.ts'
import { reportMarkdown } from './report-markdown.ts'
import { reportSvg } from './report-svg.ts'
import { soak } from './soak.ts'
import { isGood } from './verdict.ts'

const say = (sentence: string) => void process.stdout.write(`${sentence}\n`)

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof CommandError)) throw error
  process.stderr.write(`${error.message}\n`)
  return error.exitCode
})

/** `npm run soak`. Gives the exit code. */
async function main(): Promise<number> {
  const plan = readArguments(process.argv.slice(2))
  if (plan === undefined) {
    process.stdout.write(USAGE)
    return EXIT.passed
  }
  mustBeWritable(plan.report)
  const folder = mkdtempSync(join(tmpdir(), 'tandem-soak-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const { PATH = '', HOME = '', TMPDIR = tmpdir() } = process.env
  const report = await soak(plan, { folder, places: { PATH, HOME, TMPDIR }, signal: endEarly(), say })
  const markdown = reportMarkdown(report)
  writeFileSync(`${plan.report}.svg`, reportSvg(report))
  writeFileSync(`${plan.report}.md`, markdown)
  say(`\n${markdown}\nThe report is in ${plan.report}.svg and ${plan.report}.md.`)
  if (!isGood(report.checks)) return EXIT.failed
  return report.endedEarly ? EXIT.endedEarly : EXIT.passed
}

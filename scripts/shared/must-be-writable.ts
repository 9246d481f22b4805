import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import { usage } from './options.ts'

/** The path of a report, known before the test and not only after its minutes. */
export function mustBeWritable(report: string): void {
  try {
    accessSync(dirname(report), constants.W_OK)
  } catch {
    throw usage(`--report must be a path in a folder that can be written to, but is "${report}".`)
  }
}

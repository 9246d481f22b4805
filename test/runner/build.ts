import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

/**
 * Compiles the service and the pipelines of the tests into a folder that goes with this process. It lies in the
 * repository, one folder deep as a build does: files of the package are found from there.
 */
export async function build(): Promise<string> {
  const folder = mkdtempSync(join(ROOT, '.test-build-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const project = fileURLToPath(new URL('./tsconfig.json', import.meta.url))
  await promisify(execFile)(process.execPath, [TSC, '-p', project, '--outDir', folder])
  return folder
}

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

/**
 * Compiles the service and the pipelines of the tests into a folder that is removed when this process ends. The folder
 * lies directly in the repository, like a build, since the code finds files of the package by relative paths.
 */
export async function build(): Promise<string> {
  const folder = mkdtempSync(join(ROOT, '.test-build-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const project = fileURLToPath(new URL('./tsconfig.json', import.meta.url))
  await promisify(execFile)(process.execPath, [TSC, '-p', project, '--outDir', folder])
  return folder
}

import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

let root: string | undefined

/** The only folder that this process makes in the system's temporary directory; removed when the process ends. */
export function temporaryRoot(): string {
  root ??= createRoot()
  return root
}

/** A new folder below the root. Tests need not remove it. */
export function temporaryFolder(): string {
  return mkdtempSync(join(temporaryRoot(), 'folder-'))
}

function createRoot(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-test-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  shareCompiled(folder)
  return folder
}

/** tsx caches compiled files in the temporary directory: one cache for all processes. */
export function shareCompiled(folder: string): void {
  const cache = `tsx-${userInfo().uid}`
  mkdirSync(join(tmpdir(), cache), { recursive: true })
  symlinkSync(join(tmpdir(), cache), join(folder, cache))
}

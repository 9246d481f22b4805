import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const KIB = 1024

/** A disk of 64 KiB below `parent`, to be unmounted after the test; undefined if this user may not mount one. */
export function mountFull(parent: string): string | undefined {
  const path = join(parent, 'full')
  mkdirSync(path)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${64 * KIB}`, 'tmpfs', path], { stdio: 'ignore' })
    return path
  } catch {
    return undefined
  }
}

/** Fills the disk. */
export function fill(path: string): void {
  try {
    writeFileSync(join(path, 'filler'), Buffer.alloc(KIB * KIB))
  } catch {}
}

import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { VERSION } from '../../lib/config/version.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The machine of the tester, which is the server's as well where its address is 127.0.0.1. */
export function machine(): string {
  const [cpu] = cpus()
  const memory = (totalmem() / 2 ** 30).toFixed(1)
  const model = cpu?.model.trim() ?? 'unknown'
  return `${cpus().length} × ${model}, ${memory} GiB, Node ${process.versions.node}, ${process.platform} ${release()}`
}

/** The version of this checkout, with its commit where git tells. */
export function checkout(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ', with changes'
    return `${VERSION}, commit ${git('rev-parse', '--short=12', 'HEAD')}${changed}`
  } catch {
    return VERSION
  }
}

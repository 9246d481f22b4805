import { execFile } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryFolder } from './temporary-folder.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** Not copied: files that a clean clone does not have, and downloaded weights. */
const NOT_CLONED =
  /^(\.git|node_modules|dist|feedback|training)(\/|$)|^weights\/(?!README\.md|digits|imagenet-labels\.tsv)/

/** A file system of its own under Linux: the temporary folder of a user may be on another one than the folder of the archive. */
const OTHER_DISK = '/dev/shm'

export interface Packed {
  /** the folder of a user who has installed the package: only `node_modules` */
  readonly folder: string
  /** paths of all files that the package has */
  readonly files: readonly string[]
  /** the name of the file that `npm run pack` has made */
  readonly archive: string
  /** the command as npm links it */
  readonly tandem: string
}

/**
 * The package, made by `npm run pack` from a clean copy of the sources and unpacked as by `npm install`. Only the packages
 * that package.json declares lie beside it, so that an import of any other package fails.
 *
 * `npm install` itself would need the network: npm's cache has the tarballs that `npm ci` has used, but not the lists of
 * versions that npm reads for a package without a lock file, and `--offline` then ends with ENOTCACHED. `.ci/install` does
 * install the package.
 */
export async function packedPackage(): Promise<Packed> {
  const temporary = temporaryFolder()
  const clone = join(temporary, 'clone')
  cpSync(ROOT, clone, { recursive: true, filter: (path) => !NOT_CLONED.test(relative(ROOT, path)) })
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'))
  // Files of an earlier build must not be packed.
  mkdirSync(join(clone, 'dist/former'), { recursive: true })
  writeFileSync(join(clone, 'dist/former/file.js'), '')
  const env = { ...process.env, ...(existsSync(OTHER_DISK) && { TMPDIR: OTHER_DISK }) }
  await run('npm', ['run', 'pack', '--', '--to', temporary], { cwd: clone, env })
  const archive = readdirSync(temporary).find((name) => name.endsWith('.tgz')) ?? ''
  rmSync(clone, { recursive: true })

  const folder = join(temporary, 'user')
  const modules = join(folder, 'node_modules')
  const home = join(modules, 'tandem-serve')
  mkdirSync(home, { recursive: true })
  await run('tar', ['xzf', join(temporary, archive), '-C', home, '--strip-components=1'])
  const { bin, bundleDependencies, dependencies } = JSON.parse(
    readFileSync(join(home, 'package.json'), 'utf8'),
  ) as {
    bin: Record<string, string>
    bundleDependencies: string[]
    dependencies: Record<string, string>
  }
  const bundled = new Set(bundleDependencies)
  for (const name of Object.keys(dependencies).filter((name) => !bundled.has(name)))
    link(join(ROOT, 'node_modules', name), join(modules, name))
  const tandem = join(modules, '.bin/tandem')
  for (const [name, file] of Object.entries(bin)) {
    chmodSync(join(home, file), 0o755)
    link(join(home, file), join(modules, '.bin', name))
  }
  const files = readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(home, join(entry.parentPath, entry.name)))
  return { folder, files, archive, tandem }
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
}

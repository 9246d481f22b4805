import { execFile } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { addRuntime, systemsOf } from './pack-runtime.ts'
import { CommandError } from './shared/command-error.ts'
import { readOptions, text } from './shared/options.ts'

const USAGE = `npm run pack -- [--systems linux-x64,darwin-arm64] [--to FOLDER]

Builds the package and writes its archive.

--systems LIST  systems whose libraries of ONNX Runtime are part of the package, or "all"; default: this one
--to FOLDER     where to write the archive; default: this folder
`
const run = promisify(execFile)
/** npm lists every file that it packs. */
const MAX_OUTPUT = 2 ** 26
const ROOT = fileURLToPath(new URL('../', import.meta.url))

process.exitCode = await packed().catch((error: unknown) => {
  if (!(error instanceof CommandError)) throw error
  process.stderr.write(`${error.message}\n`)
  return error.exitCode
})

async function packed(): Promise<number> {
  const kinds = { systems: text('a list such as linux-x64,darwin-arm64', /./), to: text('a folder', /./) }
  const options = readOptions(process.argv.slice(2), { kinds })
  if (options === undefined) {
    process.stdout.write(USAGE)
    return 0
  }
  const runtime = join(ROOT, 'node_modules/onnxruntime-node')
  const systems = systemsOf(options.value('systems', `${process.platform}-${process.arch}`), runtime)
  await run('npm', ['run', 'build'], { cwd: ROOT })
  const staging = mkdtempSync(join(tmpdir(), 'tandem-pack-'))
  try {
    // npm itself selects the files, so that "files" in package.json stays the only list.
    await run('tar', ['xzf', await pack(ROOT, staging), '-C', staging])
    const home = join(staging, 'package')
    const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
    const { scripts, devDependencies, ...kept } = manifest
    const changed = { ...kept, ...addRuntime(home, runtime, systems) }
    writeFileSync(join(home, 'package.json'), `${JSON.stringify(changed, null, 2)}\n`)
    const archive = await pack(home, join(staging, 'made'))
    const name = archive.replace(/^.*[/\\]|\.tgz$/g, '')
    const suffix = systems.length === 1 ? `-${systems[0]}` : ''
    const path = join(resolve(options.value('to', '.')), `${name}${suffix}.tgz`)
    // Not renamed, since the temporary folder may be on another file system.
    copyFileSync(archive, path)
    process.stdout.write(`${path}\n`)
    return 0
  } finally {
    rmSync(staging, { recursive: true })
  }
}

/** The path of the archive that `npm pack` makes of a folder. */
async function pack(folder: string, destination: string): Promise<string> {
  mkdirSync(destination, { recursive: true })
  await run('npm', ['pack', '--pack-destination', destination], { cwd: folder, maxBuffer: MAX_OUTPUT })
  const [made] = readdirSync(destination).filter((name) => name.endsWith('.tgz'))
  if (made === undefined) throw new Error(`npm pack has made no archive of ${folder}.`)
  return join(destination, made)
}

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { usage } from './shared/options.ts'

/** The libraries of ONNX Runtime by system: bin/napi-v6/linux/x64. */
const LIBRARIES = 'bin/napi-v6'
/** The parts of the packages that are needed to run. */
const RUN = /^(package\.json|README\.md|dist|bin)($|\/)/
const SOURCE_MAP = /\.map$/

/** Checks a list of systems, such as "linux-x64,darwin-arm64" or "all", against the libraries that there are. */
export function systemsOf(list: string, runtime: string): readonly string[] {
  const folder = join(runtime, LIBRARIES)
  const known = readdirSync(folder).flatMap((os) =>
    readdirSync(join(folder, os)).map((cpu) => `${os}-${cpu}`),
  )
  const wanted = list === 'all' ? known : list.split(',').map((name) => name.trim())
  const unknown = wanted.find((name) => !known.includes(name))
  if (unknown === undefined) return [...new Set(wanted)]
  throw usage(`--systems must be "all" or some of ${known.join(', ')}, but has "${unknown}".`)
}

/**
 * Puts ONNX Runtime into the package, with the libraries of these systems and without its install script: the script
 * downloads the libraries of CUDA from NuGet, and npm fails with it where NuGet cannot be reached. Returns the fields of
 * package.json that say so.
 */
export function addRuntime(home: string, runtime: string, systems: readonly string[]): object {
  const own = join(home, 'node_modules/onnxruntime-node')
  copyPackage(runtime, own, (path) => {
    const [os, cpu] = path.startsWith(`${LIBRARIES}/`) ? path.split('/').slice(2) : []
    return (
      os === undefined ||
      systems.some((system) => (cpu ? system === `${os}-${cpu}` : system.startsWith(`${os}-`)))
    )
  })
  copyPackage(
    join(dirname(runtime), 'onnxruntime-common'),
    join(home, 'node_modules/onnxruntime-common'),
    () => true,
  )
  return {
    bundleDependencies: ['onnxruntime-node'],
    os: [...new Set(systems.map((system) => system.split('-')[0]))],
    cpu: [...new Set(systems.map((system) => system.split('-')[1]))],
  }
}

function copyPackage(from: string, to: string, isWanted: (path: string) => boolean): void {
  cpSync(from, to, {
    recursive: true,
    dereference: true,
    filter(file) {
      const path = relative(from, file).split(sep).join('/')
      return path === '' || (RUN.test(path) && !SOURCE_MAP.test(path) && isWanted(path))
    },
  })
  const manifest = JSON.parse(readFileSync(join(to, 'package.json'), 'utf8'))
  const { scripts, devDependencies, dependencies, ...kept } = manifest
  const needed = Object.entries({ ...dependencies }).filter(([name]) => name === 'onnxruntime-common')
  writeFileSync(
    join(to, 'package.json'),
    `${JSON.stringify({ ...kept, dependencies: Object.fromEntries(needed) }, null, 2)}\n`,
  )
}

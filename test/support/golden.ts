import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { temporaryFolder } from './temporary-folder.ts'

const GOLDEN = fileURLToPath(new URL('../golden/', import.meta.url))
const PACKED = '.gz'

export type GoldenPart = 'answers' | 'applications' | 'classes' | 'formats' | 'hostile' | 'resize'

const unpacked = new Map<GoldenPart, string>()

/** The path of an unpacked golden file or folder. Each top folder is unpacked once per process. */
export function golden(part: GoldenPart, ...path: string[]): string {
  const folder = unpacked.get(part) ?? unpack(part)
  unpacked.set(part, folder)
  return join(folder, ...path)
}

/** The content of one golden file; nothing is unpacked to disk. */
export function goldenBytes(part: GoldenPart, ...path: string[]): Buffer {
  const file = join(GOLDEN, part, ...path)
  return existsSync(file) ? readFileSync(file) : gunzipSync(readFileSync(file + PACKED))
}

export function goldenJson<T>(part: GoldenPart, ...path: string[]): T {
  return JSON.parse(goldenBytes(part, ...path).toString('utf8')) as T
}

interface Named {
  readonly name: string
}

/** The name of the golden data of a network of the catalog. */
export const goldenName = ({ name }: Named): string => OTHER_NAMES.get(name) ?? name

const OTHER_NAMES: ReadonlyMap<string, string> = new Map([['efficientnetv2b0', 'efficientnet_v2_b0']])

/** Whether there is golden data of a network of the catalog; most others differ from one of these in numbers of blocks. */
export function hasGolden(network: Named): boolean {
  const file = join(GOLDEN, 'applications', `${goldenName(network)}.config.json`)
  return existsSync(file) || existsSync(file + PACKED)
}

function unpack(part: GoldenPart): string {
  const folder = temporaryFolder()
  const entries = readdirSync(join(GOLDEN, part), { recursive: true, withFileTypes: true })
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const source = join(entry.parentPath, entry.name)
    const target = join(folder, source.slice(join(GOLDEN, part).length))
    const bytes = readFileSync(source)
    mkdirSync(dirname(target), { recursive: true })
    if (target.endsWith(PACKED)) writeFileSync(target.slice(0, -PACKED.length), gunzipSync(bytes))
    else writeFileSync(target, bytes)
  }
  return folder
}

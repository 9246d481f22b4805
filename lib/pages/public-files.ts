import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isCompressible, TaggedBytes } from '../http/tagged-bytes.ts'

interface PublicFile {
  readonly type: string
  readonly content: TaggedBytes
}

interface PublicFiles {
  /** hash of all files together, so that a page never loads files of two versions */
  readonly version: string
  /** the file at a path below the folder, such as `style.css`; undefined when there is none */
  get(path: string): PublicFile | undefined
  /** the address for pages; throws when there is no such file, which is a mistake in a page */
  url(path: string): string
  /** the modules that a script imports, directly or through other modules */
  imports(path: string): readonly string[]
}

/** public/ comes with the package. A build lies one folder deeper than the sources. */
const FOLDER = fileURLToPath(
  new URL(`${import.meta.url.endsWith('.ts') ? '../../' : '../../../'}public/`, import.meta.url),
)

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
}

/**
 * The files of the pages, read once when the process starts. Nothing else is ever served: a request names an entry of this
 * table, never a path on the disk.
 */
export const PUBLIC_FILES = readPublicFiles(FOLDER)

function readPublicFiles(folder: string): PublicFiles {
  const files = new Map<string, PublicFile>()
  const direct = new Map<string, readonly string[]>()
  const all = createHash('sha256')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  for (const name of names.map((name) => name.replaceAll('\\', '/')).sort()) {
    const type = TYPES[extname(name)]
    // Skips notes about the files, and what an editor leaves behind.
    if (type === undefined) continue
    const bytes = readFileSync(`${folder}/${name}`)
    all.update(`${name}\n${bytes.length}\n`).update(bytes)
    if (extname(name) === '.js') direct.set(name, importsIn(bytes.toString()))
    files.set(name, { type, content: new TaggedBytes(bytes, isCompressible(type)) })
  }
  const version = all.digest('base64url').slice(0, 12)
  return {
    version,
    get: (path) => files.get(path),
    url(path) {
      if (!files.has(path)) throw new Error(`There is no file public/${path}.`)
      return `/public/${version}/${path}`
    },
    imports(path) {
      const found = new Set(direct.get(path))
      // Iterating a Set also visits what is added meanwhile.
      for (const module of found) for (const next of direct.get(module) ?? []) found.add(next)
      return [...found]
    },
  }
}

/** All modules lie side by side in the folder: a name is enough to find one. */
function importsIn(script: string): string[] {
  return [...script.matchAll(/^(?:import|export)\s(?:[^'";]*\sfrom\s)?'\.\/([\w-]+\.js)'/gm)].map(
    ([, name = '']) => name,
  )
}

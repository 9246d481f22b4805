import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
const RELATIVE = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g

interface Package {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>
}

/**
 * The declarations of everything that the package exports, as one text: first the entries, then the files whose types they
 * use. Comments are left out, because a change of words breaks no caller.
 */
export async function publicTypes(): Promise<string> {
  const { exports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Package
  const entries = Object.entries(exports).flatMap(([name, entry]) =>
    typeof entry === 'string' ? [] : [{ name, file: entry.types.replace('./dist/', '') }],
  )
  const folder = await mkdtemp(join(ROOT, '.test-build-'))
  try {
    await emit(
      folder,
      entries.map(({ file }) => file.replace('.d.ts', '.ts')),
    )
    const texts = await reached(
      folder,
      entries.map(({ file }) => file),
    )
    const title = (file: string) =>
      entries.find((entry) => entry.file === file)?.name.replace('.', 'tandem-serve')
    return [...texts].map(([file, text]) => `// ${title(file) ?? file}\n${text}`).join('\n')
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function emit(outDir: string, files: readonly string[]): Promise<void> {
  const config = {
    extends: join(ROOT, 'tsconfig.build.json'),
    compilerOptions: {
      rootDir: ROOT,
      outDir,
      emitDeclarationOnly: true,
      noCheck: true,
      removeComments: true,
    },
    include: [],
    files: files.map((file) => join(ROOT, file)),
  }
  const path = join(outDir, 'tsconfig.json')
  await writeFile(path, JSON.stringify(config))
  await promisify(execFile)(process.execPath, [TSC, '-p', path])
}

/** The files, and those that they import, each once and in the order in which they are reached. */
async function reached(folder: string, files: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  // A Set is walked to its end, including what is added meanwhile.
  const all = new Set(files)
  for (const file of all) {
    const text = await readFile(join(folder, file), 'utf8')
    texts.set(file, text)
    for (const [, target = ''] of text.matchAll(RELATIVE)) {
      all.add(posix.join(posix.dirname(file), target).replace(/\.(ts|js)$/, '.d.ts'))
    }
  }
  return texts
}

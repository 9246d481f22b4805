import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT } from './support/import-graph.ts'

const TREE = /<!-- tree -->\n```\n([\s\S]*?)```\n<!-- \/tree -->/

describe('docs/architecture.md', () => {
  before(skipWithoutGit)

  const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')
  const [, tree = ''] = TREE.exec(text) ?? []

  it('draws the folders that there are, each with what it is for', () => {
    const rows = tree.trimEnd().split('\n')
    const drawn = rows.map((row) => /^(\S+) +\S.*$/.exec(row)?.[1] ?? `no purpose: ${row}`)
    expect(drawn).to.deep.equal(folders())
  })

  it('names only files that there are', () => {
    const named = [...text.matchAll(/`((?:lib|broker|pipeline|test|public)\/[a-z0-9/-]+\.ts)`/g)].map(
      ([, file = '']) => file,
    )
    expect(named).to.have.length.above(15)
    expect(named.filter((file) => !files().includes(file))).to.deep.equal([])
  })
})

describe('CONTRIBUTING.md', () => {
  before(skipWithoutGit)

  it('names only files and folders that there are', () => {
    const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8')
    const named = [...text.matchAll(/`((?:lib|broker|pipeline|test|public|docs)\/[a-z0-9/.-]+[a-z0-9])\/?`/g)]
    const known = new Set([...files(), ...allFolders()])
    expect(named).to.have.length.above(15)
    expect(named.map(([, path = '']) => path).filter((path) => !known.has(path))).to.deep.equal([])
  })
})

/** An unpacked archive has no list of the files that are part of the repository. */
function skipWithoutGit(this: Mocha.Context): void {
  if (!existsSync(join(ROOT, '.git'))) this.skip()
}

/** Every file that is part of the repository, or about to be. */
function files(): string[] {
  const options = { cwd: ROOT, encoding: 'utf8' } as const
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], options)
  return list.split('\n').filter((path) => path !== '')
}

function allFolders(): string[] {
  const all = new Set<string>()
  for (const file of files()) {
    const parts = file.split('/').slice(0, -1)
    for (let length = 1; length <= parts.length; length++) all.add(parts.slice(0, length).join('/'))
  }
  return [...all].sort()
}

/** Tests mirror the rooms; their folders are not drawn a second time. */
function folders(): string[] {
  return allFolders().filter((folder) => !folder.startsWith('test/'))
}

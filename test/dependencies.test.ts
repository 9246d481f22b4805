import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT, sourcesIn } from './support/import-graph.ts'

const PAGE = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8')
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const IMPORTS_JIMP = /(?:\bfrom|\bimport\()\s*['"]jimp['"]/

describe('docs/dependencies.md', () => {
  it('argues each of the fewer than 18 packages that are needed to run', () => {
    const names = Object.keys(dependencies)
    expect(names.length).to.be.below(18)
    expect(packagesUnder('At run time').sort()).to.deep.equal(names.sort())
  })

  it('argues each package for development', () => {
    const types = (name: string) => name.startsWith('@types/')
    const argued = packagesUnder('For development').filter((name) => !types(name))
    expect(argued.sort()).to.deep.equal(
      Object.keys(devDependencies)
        .filter((name) => !types(name))
        .sort(),
    )
  })

  it('says where jimp is used: in tests alone', () => {
    expect(PAGE).to.match(/^\| jimp \| .*the tests compare the pixels/m)
    const folders = ['bench', 'broker', 'client', 'fleet', 'lib', 'pipeline', 'scripts', 'test']
    const users = sourcesIn(...folders).filter((file) =>
      IMPORTS_JIMP.test(readFileSync(join(ROOT, file), 'utf8')),
    )
    expect(users.length).to.be.above(0)
    expect(users.filter((file) => !file.startsWith('test/'))).to.deep.equal([])
  })
})

/** The packages in the first column of the table under a heading; "@a/b-c, -d" is @a/b-c and @a/b-d. */
function packagesUnder(heading: string): string[] {
  const [, section = ''] = PAGE.split(new RegExp(`^## ${heading}$`, 'm'))
  const [table = ''] = section.split(/^##+ /m)
  const rows = [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].slice(2)
  return rows.flatMap(([row, names = '', use = '', without = '']) => {
    expect(use.trim().length, row).to.be.above(10)
    expect(without.trim(), row).to.not.equal('')
    const [first = '', ...others] = names.split(', ')
    return [first, ...others.map((name) => (name.startsWith('-') ? first.replace(/(-\w+)+$/, name) : name))]
  })
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect } from 'chai'
import { describeFleet, knowsHosts, TestFleet } from '../../support/fleet.ts'
import { ROOT } from '../../support/import-graph.ts'
import { closeAfterRun } from '../../support/leftovers.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const PACKAGE = /'tandem-serve\/(\w+)'/g
const WITHIN_MS = 60_000

describeFleet('The example of docs/scale.md', function (rabbit) {
  this.timeout(WITHIN_MS)

  it('serves a pipeline without images on three hosts, in at most 30 lines', async () => {
    const folder = temporaryFolder()
    const files = {
      ...blocks('docs/broker.md', ['words.mjs']),
      ...blocks('docs/scale.md', ['host.mjs', 'main.mjs']),
    }
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(
        join(folder, name),
        text.replace(PACKAGE, (_, room) => `'${new URL(`file://${ROOT}${room}/${room}.ts`).href}'`),
      )
    }
    const lines = Object.values(files)
      .join('')
      .split('\n')
      .filter((line) => line.trim() !== '')
    expect(lines).to.have.length.within(20, 30)
    const start = (name: string) => {
      const child = spawn(
        process.execPath,
        ['--import', createRequire(import.meta.url).resolve('tsx'), join(folder, name)],
        {
          cwd: folder,
          env: { ...process.env, AMQP_URL: rabbit().url },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      child.once(
        'exit',
        closeAfterRun(() => child.kill('SIGKILL')),
      )
      return child
    }
    const hosts = [start('host.mjs'), start('host.mjs')]
    // Without a host, the call would be refused; start() waits for one.
    const caller = start('main.mjs')
    let output = ''
    caller.stdout.on('data', (chunk) => (output += chunk))
    expect(await once(caller, 'exit')).to.deep.equal([0, null])
    expect(output).to.equal('5\n')
    const watcher = new TestFleet(rabbit().url, 'words')
    await knowsHosts(await watcher.startWeb(), 2, WITHIN_MS)
    for (const host of hosts) {
      host.kill('SIGTERM')
      expect(await once(host, 'exit')).to.deep.equal([0, null])
    }
    watcher.close()
  })
})

/** The blocks of code after these names, in the order of the names. */
function blocks(document: string, names: readonly string[]): Record<string, string> {
  const text = readFileSync(join(ROOT, document), 'utf8')
  return Object.fromEntries(
    names.map((name) => {
      const [, code = ''] =
        /```js\n([\s\S]*?)```/.exec(text.slice(text.indexOf(`\`${name}\``, nameAt(text, name)))) ?? []
      return [name, code]
    }),
  )
}

function nameAt(text: string, name: string): number {
  const at = text.search(new RegExp(`\`${name.replace('.', '\\.')}\`[^\`]*?:\n\n\`\`\`js`))
  if (at < 0) throw new Error(`There is no code of ${name}.`)
  return at
}

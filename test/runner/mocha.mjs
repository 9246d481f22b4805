// Mocha over TypeScript. Where `npm test` has compiled the service, the tests get the compiled files in place of their
// sources: the processes and threads that they start then do without tsx, which takes longer to load than most of them.
import Module, { createRequire, register } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compiledFile } from './compiled-file.mjs'

const folder = process.env.TANDEM_TEST_BUILD
if (folder !== undefined) {
  await import('tsx')
  const sources = new URL('../../', import.meta.url).href
  const built = pathToFileURL(`${folder}/`).href
  register('./resolve-compiled.mjs', import.meta.url, { data: { sources, built } })
  const resolve = Module._resolveFilename
  Module._resolveFilename = (...args) => {
    const path = resolve.apply(Module, args)
    return path.endsWith('.ts') ? fileURLToPath(compiledFile(pathToFileURL(path).href, sources, built)) : path
  }
}
const require = createRequire(import.meta.url)
require(require.resolve('mocha/lib/cli/cli.js')).main()

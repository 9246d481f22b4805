import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './import-graph.ts'

/** The examples of a document that begin with the name of their file: `// koa.mjs`, and maybe more on that line. */
export function namedExamples(document: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(ROOT, document), 'utf8')
  const blocks = [...text.matchAll(/^```js\n(\/\/ ([a-z-]+\.mjs)[^\n]*\n[\s\S]*?)^```$/gm)]
  return new Map(blocks.map(([, code = '', name = '']) => [name, code]))
}

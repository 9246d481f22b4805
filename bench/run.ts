/** `npm run bench -- <name>`: one comparison, printed as a table of ratios within one run. */
import { existsSync, readdirSync } from 'node:fs'

const name = process.argv[2] ?? ''
const file = new URL(`./${name}.bench.ts`, import.meta.url)
if (!/^[a-z-]+$/.test(name) || !existsSync(file)) {
  const names = readdirSync(new URL('.', import.meta.url)).flatMap(
    (entry) => /^(.*)\.bench\.ts$/.exec(entry)?.[1] ?? [],
  )
  console.error(`Usage: npm run bench -- ${names.join(' | ')}`)
  process.exit(1)
}
await import(file.href)

/** `npm run bench -- <name>`: runs one comparison and prints a table. */
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

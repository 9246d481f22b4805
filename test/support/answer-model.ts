import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { golden } from './golden.ts'
import { temporaryFolder } from './temporary-folder.ts'

const LABELS = 'labels.txt'

let weightsDir: string | undefined

/**
 * A golden model in a folder of its own, with settings and labels beside it. All tests share the folder of compiled
 * models: reading an .h5 file takes half a second.
 */
export function answerModel(name: string, settings: object = {}, labels: readonly string[] = []) {
  weightsDir ??= temporaryFolder()
  const folder = temporaryFolder()
  const path = join(folder, 'pets.h5')
  copyFileSync(golden('answers', `${name}.h5`), path)
  const own = labels.length > 0 ? { labels: LABELS } : {}
  if (labels.length > 0) writeFileSync(join(folder, LABELS), labels.join('\n'))
  writeFileSync(join(folder, 'pets.json'), JSON.stringify({ preprocessing: 'tf', ...own, ...settings }))
  return { weightsDir, path }
}

import { measured } from './measure.ts'
import { Paths } from './paths.ts'
import type { Bounds, Examiner, Result } from './target.ts'

/*
 * Tries inputs in a process of its own, which a native crash may end. The first argument is the URL of a module with
 * `openExaminer`, the second one the bounds as JSON.
 */

export type ToChild =
  | { readonly kind: 'examine'; readonly input: Uint8Array }
  /** Has the code since the last question reached something new? */
  | { readonly kind: 'paths'; readonly keep: boolean }

export type FromChild =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'paths'; readonly isNew: boolean }

const [, , module = '', bounds = ''] = process.argv
const limits = JSON.parse(bounds) as Bounds
const paths = new Paths(new URL('../../', import.meta.url).href)
const { openExaminer } = (await import(module)) as { openExaminer(): Promise<Examiner> }
const examiner = await openExaminer()

process.on('message', async (message: ToChild) => {
  if (message.kind === 'paths') answer({ kind: 'paths', isNew: paths.anyNew(message.keep) })
  else answer({ kind: 'result', result: await measured(examiner, Buffer.from(message.input), limits) })
})
// The parent is gone, and with it the terminal: no input is worth finishing.
process.on('disconnect', () => process.exit())
// Ctrl-C reaches the whole group of processes; the parent decides what happens.
process.on('SIGINT', () => undefined)
answer({ kind: 'ready' })

function answer(message: FromChild): void {
  process.send?.(message)
}

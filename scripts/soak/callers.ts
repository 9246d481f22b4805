import { sleepUntil } from '../shared/sleep-until.ts'
import type { Asker, Manner } from './asker.ts'
import type { Question } from './question.ts'
import type { Tally } from './tally.ts'

export interface Card {
  readonly question: Question
  readonly manner: Manner
}

const SLOW: readonly Manner[] = ['writes slowly', 'reads slowly']
/** Besides the first one. */
const PLAIN_CARDS = 3
const MIN_PAUSE_MS = 50
const MAX_PAUSE_MS = 250
/** Smaller bodies fit into one packet. */
const LONG_BODY_BYTES = 2000

/**
 * Deals the questions in a random order: each of them once from a plain client, then each in all manners that suit the
 * question, and from the begin. So a short test has asked every question, too.
 */
export function dealCards(questions: readonly Question[], random: () => number = Math.random): () => Card {
  const plain = questions.map((question): Card => ({ question, manner: 'plain' }))
  const others = questions.flatMap((question) => mannersFor(question).map((manner) => ({ question, manner })))
  let hands: Card[][] = []
  return () => {
    if (hands.length === 0) hands = [[...plain], [...others]]
    const [hand = []] = hands
    const [card] = hand.splice(Math.floor(random() * hand.length), 1)
    if (hand.length === 0) hands.shift()
    if (card === undefined) throw new Error('there are no questions')
    return card
  }
}

/**
 * Asks one question after the other until the end of the test, with pauses once the service has settled: without
 * pauses, caches and heaps reach their sizes sooner.
 */
export async function caller(
  asker: Asker,
  tally: Tally,
  nextCard: () => Card,
  { settled, end }: { readonly settled: number; readonly end: number },
  signal: AbortSignal,
): Promise<void> {
  while (performance.now() < end) {
    const isSettled = performance.now() >= settled
    const pause = isSettled ? MIN_PAUSE_MS + Math.random() * (MAX_PAUSE_MS - MIN_PAUSE_MS) : 0
    if (!(await sleepUntil(performance.now() + pause, signal))) return
    const { question, manner } = nextCard()
    tally.began(question)
    tally.ended(question, await asker.ask(question, manner), SLOW.includes(manner))
  }
}

/** Plain most of the time: most clients are neither slow nor leave. */
function mannersFor(question: Question): Manner[] {
  const { body } = question.request(undefined, '')
  const writes = body !== undefined && body.length > LONG_BODY_BYTES && question.status === 200
  return [
    ...Array<Manner>(PLAIN_CARDS).fill('plain'),
    ...(writes ? (['writes slowly', 'leaves', 'leaves while writing'] as const) : []),
    ...(question.isLong ? (['reads slowly', 'leaves'] as const) : []),
  ]
}

import type { ThinkTime } from './arguments.ts'

export const ROUTES = ['GET /', 'POST /predict'] as const
export type Route = (typeof ROUTES)[number]

/** One look at the page for three predictions. */
const CARDS: readonly Route[] = ['GET /', 'POST /predict', 'POST /predict', 'POST /predict']

/**
 * Deals one request after the other, in a random order in which each four in a row hold the ratio. Drawn one by one,
 * the ratio of a short test would be an accident.
 */
export function dealRoutes(random: () => number = Math.random): () => Route {
  let hand: Route[] = []
  return () => {
    if (hand.length === 0) hand = [...CARDS]
    const [card = 'GET /'] = hand.splice(Math.floor(random() * hand.length), 1)
    return card
  }
}

export function thinkMs([min, max]: ThinkTime, random: () => number = Math.random): number {
  return (min + (max - min) * random()) * 1000
}

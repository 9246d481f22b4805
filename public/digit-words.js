/** What the page for digits says. The server and the browser both import this module, so both draw the same line. */
import { milliseconds, percent } from './figure-words.js'

/**
 * A reading is shown from this probability on. An empty picture has 0.1 for each digit; a photograph without ink has the
 * same, and one with something like a stroke on it has mostly less than this for the best. Of the 1,000 validation digits
 * 994 have more.
 */
const LEAST_PROBABILITY = 0.75

export const NO_DIGIT = 'No digit found'

/** @typedef {{ readonly label: string, readonly name: string, readonly probability: number }} Guess */
/**
 * @typedef {object} Timing
 * @property {number} queue
 * @property {number} prepare
 * @property {number} predict
 * @property {number} total
 * @property {boolean | undefined} [cached]
 */

/**
 * The digit to show, with the words beside it; without a digit the words alone.
 * @param {readonly Guess[]} guesses the likeliest first
 * @returns {{ digit: string | undefined, word: string }}
 */
export function readingOf([best]) {
  if (best === undefined || best.probability < LEAST_PROBABILITY) return { digit: undefined, word: NO_DIGIT }
  return { digit: best.label, word: percent(best.probability) }
}

/** @param {Timing} timing */
export function timingText({ queue, prepare, predict, total, cached }) {
  const inAll = `${milliseconds(total)} in the service`
  if (cached) return `${inAll}, kept from when the same came before`
  return `${inAll}: queue ${milliseconds(queue)}, prepare ${milliseconds(prepare)}, predict ${milliseconds(predict)}`
}

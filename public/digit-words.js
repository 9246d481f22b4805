/** The words of the page for digits. Server and browser import this module, so that both use the same words and the same threshold. */
import { milliseconds, percent } from './figure-words.js'

/**
 * The least probability of the best guess for a reading. An empty picture and a photograph without strokes get 0.1 for
 * each digit. A photograph with something like a stroke mostly stays below this value. Of the 1,000 validation digits,
 * 994 are above.
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
 * The digit to show and the words beside the digit. When no digit is found, the words say so.
 * @param {readonly Guess[]} guesses most likely first
 * @returns {{ digit: string | undefined, word: string }}
 */
export function readingOf([best]) {
  if (best === undefined || best.probability < LEAST_PROBABILITY) return { digit: undefined, word: NO_DIGIT }
  return { digit: best.label, word: percent(best.probability) }
}

/** @param {Timing} timing */
export function timingText({ queue, prepare, predict, total, cached }) {
  const inAll = `${milliseconds(total)} in the service`
  if (cached) return `${inAll}, from the cache`
  return `${inAll}: queue ${milliseconds(queue)}, prepare ${milliseconds(prepare)}, predict ${milliseconds(predict)}`
}

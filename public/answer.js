/** @typedef {import('./digit-words.js').Guess} Guess */
/**
 * An answer of the service. A pipeline of the user's own may have answered anything.
 * @typedef {object} Answer
 * @property {string} id
 * @property {import('./digit-words.js').Timing} timing
 * @property {unknown} [predictions]
 * @property {unknown} [prediction]
 * @property {readonly number[]} [shape] of the features
 * @property {readonly number[]} [features] of a model without classes
 * @property {string} [image] address of the service's copy of a picture from another site
 * @property {string} [state]
 */

/**
 * The guesses of an image model; undefined for any other answer.
 * @param {Answer} answer
 * @returns {Guess[] | undefined}
 */
export function guessesOf({ predictions }) {
  const are = Array.isArray(predictions) && predictions.length > 0
  return are && predictions.every((one) => typeof one?.probability === 'number') ? predictions : undefined
}

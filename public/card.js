import { guessesOf } from './answer.js'
import { featureText, milliseconds, shareWriter } from './figure-words.js'
import { setBar, setSplit } from './figures.js'
import { copyOf, find } from './page.js'

/** @typedef {import('./answer.js').Answer} Answer */
/** @typedef {import('./digit-words.js').Guess} Guess */
/** @typedef {import('./digit-words.js').Timing} Timing */
/**
 * A state that an image goes through.
 * @typedef {object} Line
 * @property {string} state
 * @property {string} [what] what the image waits for
 * @property {string} [why]
 * @property {number} [seconds]
 * @property {number} [position]
 */

const STAGES = /** @type {const} */ (['queue', 'prepare', 'predict'])

/** @type {Readonly<Record<string, (line: Line) => string>>} */
const SENTENCES = {
  waiting: () => 'waiting',
  loading: ({ what }) => `waiting for the ${what}`,
  sending: () => 'sending',
  key: () => 'waiting for a key',
  again: ({ seconds, why }) => `${why} Next try in ${seconds} s.`,
  downloading: () => 'downloading',
  queued: ({ position }) => `queued, at position ${position}`,
  predicting: () => 'predicting',
}

/** @typedef {ReturnType<typeof createCard>} Card */

/**
 * The card of one image. Names and labels are set as text, never as markup.
 * @param {{ name: string }} image
 */
export function createCard({ name }) {
  const item = copyOf('card-template')
  const article = find(item, 'article')
  const part = (/** @type {string} */ name) => find(item, `[data-part="${name}"]`)
  const button = (/** @type {string} */ what) => find(item, `[data-do="${what}"]`, HTMLButtonElement)
  find(item, '.result-name').textContent = name
  button('remove').setAttribute('aria-label', `Remove ${name}`)

  /** @param {'waiting' | 'predicting' | 'done' | 'failed'} kind */
  const look = (kind, mayPass = false) => {
    article.classList.remove('is-waiting', 'is-predicting', 'is-done', 'is-failed')
    article.classList.add(`is-${kind}`)
    part('actions').hidden = kind !== 'done' && !mayPass
    part('answer').hidden = kind !== 'done'
    button('again').hidden = !mayPass
    for (const what of ['report', 'json', 'save']) button(what).hidden = kind !== 'done'
  }

  return {
    item,
    part,
    button,
    /** @param {string} source */
    picture(source) {
      const image = document.createElement('img')
      image.src = source
      image.alt = name
      find(item, '.result-picture').replaceChildren(image)
    },
    /** @param {Line} line */
    state(line) {
      look(line.state === 'predicting' ? 'predicting' : 'waiting')
      part('state').textContent = SENTENCES[line.state]?.(line) ?? line.state
    },
    /**
     * Offers another try, and the command, only if another try may succeed.
     * @param {string} sentence
     * @param {boolean} mayPass
     */
    failed(sentence, mayPass) {
      look('failed', mayPass)
      part('state').textContent = sentence
    },
    /** @param {Answer} answer */
    done(answer) {
      look('done')
      part('state').textContent = ''
      const guesses = guessesOf(answer)
      part('guesses').replaceChildren(...(guesses ? guessItems(guesses) : [plainItem(answer)]))
      button('report').hidden = !guesses
      showTiming(part('answer'), answer.timing)
    },
  }
}

/** @param {readonly Guess[]} guesses */
function guessItems(guesses) {
  const write = shareWriter(guesses)
  return guesses.map((guess) => guessItem(guess, write))
}

/**
 * @param {Guess} guess
 * @param {(value: number) => string} write
 */
function guessItem({ label, probability }, write) {
  const item = copyOf('guess-template')
  const text = find(item, '.guess-label')
  text.textContent = label
  text.title = label
  find(item, '.guess-share').textContent = write(probability)
  setBar(find(item, '.bar', SVGSVGElement), probability)
  return item
}

/** @param {Answer} answer */
function plainItem({ predictions, prediction, shape, features }) {
  const item = document.createElement('li')
  const block = document.createElement('pre')
  block.className = 'code wraps'
  block.textContent = features
    ? featureText(shape ?? [], features)
    : JSON.stringify(predictions ?? prediction, null, 2)
  item.append(block)
  return item
}

/**
 * @param {HTMLElement} answer
 * @param {Timing} timing
 */
function showTiming(answer, timing) {
  setSplit(
    find(answer, '.split', SVGSVGElement),
    STAGES.map((stage) => timing[stage]),
  )
  for (const stage of /** @type {const} */ ([...STAGES, 'total'])) {
    find(answer, `[data-ms="${stage}"]`).textContent = milliseconds(timing[stage])
  }
  find(answer, '.timing').classList.toggle('is-known', timing.cached === true)
}

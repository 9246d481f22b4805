import { milliseconds, percent } from './figure-words.js'
import { setBar, setSplit } from './figures.js'

const cardTemplate = document.getElementById('card-template')
const guessTemplate = document.getElementById('guess-template')
const STAGES = ['queue', 'prepare', 'predict']

const SENTENCES = {
  waiting: () => 'waiting for its turn',
  loading: () => 'waiting for the model',
  sending: () => 'on its way',
  key: () => 'waiting for a key',
  again: ({ seconds, why }) => `${why} Tried again in ${seconds} s.`,
  downloading: () => 'downloading',
  queued: ({ position }) => `queued, at position ${position}`,
  predicting: () => 'predicting',
}

/** The card of one image. All that it shows is text, wherever it comes from. */
export function createCard({ name }) {
  const item = cardTemplate.content.firstElementChild.cloneNode(true)
  const article = item.querySelector('article')
  const part = (part) => item.querySelector(`[data-part="${part}"]`)
  const button = (what) => item.querySelector(`[data-do="${what}"]`)
  item.querySelector('.result-name').textContent = name
  button('remove').setAttribute('aria-label', `Remove ${name}`)

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
    picture(source) {
      const image = document.createElement('img')
      image.src = source
      image.alt = name
      item.querySelector('.result-picture').replaceChildren(image)
    },
    state(line) {
      look(line.state === 'predicting' ? 'predicting' : 'waiting')
      part('state').textContent = SENTENCES[line.state]?.(line) ?? line.state
    },
    /** What fails in the same way each time is not worth another try, here or in a shell. */
    failed(sentence, mayPass) {
      look('failed', mayPass)
      part('state').textContent = sentence
    },
    done(answer) {
      look('done')
      part('state').textContent = ''
      const guesses = guessesOf(answer)
      part('guesses').replaceChildren(...(guesses ? guesses.map(guessItem) : [plainItem(answer)]))
      button('report').hidden = !guesses
      showTiming(part('answer'), answer.timing)
    },
  }
}

/** The guesses of an image model; a pipeline of the user's own may have answered anything. */
export function guessesOf({ predictions }) {
  const are = Array.isArray(predictions) && predictions.length > 0
  return are && predictions.every((one) => typeof one?.probability === 'number') ? predictions : undefined
}

function guessItem({ label, probability }) {
  const item = guessTemplate.content.firstElementChild.cloneNode(true)
  const text = item.querySelector('.guess-label')
  text.textContent = label
  text.title = label
  item.querySelector('.guess-share').textContent = percent(probability)
  setBar(item.querySelector('.bar'), probability)
  return item
}

function plainItem({ predictions, prediction }) {
  const item = document.createElement('li')
  const block = document.createElement('pre')
  block.className = 'code wraps'
  block.textContent = JSON.stringify(predictions ?? prediction, null, 2)
  item.append(block)
  return item
}

function showTiming(answer, timing) {
  setSplit(
    answer.querySelector('.split'),
    STAGES.map((stage) => timing[stage]),
  )
  for (const figure of answer.querySelectorAll('[data-ms]')) {
    figure.textContent = milliseconds(timing[figure.dataset.ms])
  }
  answer.querySelector('.timing').classList.toggle('is-known', timing.cached === true)
}

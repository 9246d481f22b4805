import './copy-buttons.js'
import { readModels, setPill, UNREACHABLE } from './readiness.js'
import { say } from './say.js'
import { hasBar, isLoading, modelWord } from './state-words.js'

const LOADING_MS = 1000
const UNREACHABLE_MS = 5000
const QUIET_MS = 15_000

const cards = [...document.querySelectorAll('#models [data-model]')]

/** Keeps the states of the models true: each second while one is loading, else now and then. */
async function refresh() {
  if (!document.hidden) {
    const models = await readModels()
    for (const card of cards) show(card, models ? models[card.dataset.model] : UNREACHABLE)
  }
  setTimeout(refresh, pause())
}

function pause() {
  const states = cards.map((card) => card.querySelector('.pill').dataset.state)
  if (states.some(isLoading)) return LOADING_MS
  return states.includes('unreachable') ? UNREACHABLE_MS : QUIET_MS
}

function show(card, model) {
  if (!model) return
  const { state, progress, error } = model
  const pill = card.querySelector('.pill')
  if (pill.dataset.state !== state) say(`${card.dataset.model}: ${state}`)
  setPill(pill, state)
  card.querySelector('[data-part="word"]').textContent = modelWord(model)
  const bar = card.querySelector('progress')
  bar.hidden = !hasBar(model)
  bar.value = progress?.fraction ?? 0
  const why = card.querySelector('[data-part="error"]')
  why.hidden = !error || state === 'ready'
  why.textContent = error?.message ?? ''
}

setTimeout(refresh, pause())

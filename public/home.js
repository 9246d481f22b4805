import './copy-buttons.js'
import { find } from './page.js'
import { readModels, setPill, UNREACHABLE } from './readiness.js'
import { say } from './say.js'
import { hasBar, isLoading, modelWord } from './state-words.js'

const LOADING_MS = 1000
const UNREACHABLE_MS = 5000
const QUIET_MS = 15_000

/** @typedef {import('./state-words.js').ModelState} ModelState */

const cards = [...document.querySelectorAll('#models [data-model]')].map((card) => ({
  card,
  name: card.getAttribute('data-model') ?? '',
  pill: find(card, '.pill'),
}))

/** Keeps the shown states up to date: every second while a model is loading, less often otherwise. */
async function refresh() {
  if (!document.hidden) {
    const models = await readModels()
    for (const one of cards) show(one, models ? models[one.name] : UNREACHABLE)
  }
  setTimeout(refresh, pause())
}

function pause() {
  const states = cards.map(({ pill }) => pill.dataset.state ?? '')
  if (states.some(isLoading)) return LOADING_MS
  return states.includes('unreachable') ? UNREACHABLE_MS : QUIET_MS
}

/**
 * @param {typeof cards[number]} card
 * @param {ModelState | undefined} model
 */
function show({ card, name, pill }, model) {
  if (!model) return
  const { state, progress, error } = model
  if (pill.dataset.state !== state) say(`${name}: ${state}`)
  setPill(pill, state)
  find(card, '[data-part="word"]').textContent = modelWord(model)
  const bar = find(card, 'progress', HTMLProgressElement)
  bar.hidden = !hasBar(model)
  bar.value = progress?.fraction ?? 0
  const why = find(card, '[data-part="error"]')
  why.hidden = !error || state === 'ready'
  why.textContent = error?.message ?? ''
}

setTimeout(refresh, pause())

import { keyHeaders } from './api-key.js'
import { byId, fieldOf, find, messageOf } from './page.js'
import { Failure, mustBeOk, postWithKey } from './post.js'
import { say } from './say.js'

const MAX_SHOWN = 20

/** @type {Promise<string[]> | undefined} */
let labels

/**
 * Connects the form that reports a wrong answer: completes labels, and sends the right one.
 * @param {import('./card.js').Card} card
 * @param {{ model: string, id: string, prediction: string, reported: () => void }} parts
 */
export function wireReport(card, { model, id, prediction, reported }) {
  const area = card.part('report')
  const form = find(area, 'form', HTMLFormElement)
  const open = card.button('report')
  const input = fieldOf(form, 'report')
  for (const [name, value] of Object.entries({ id, model, prediction })) fieldOf(form, name).value = value
  completeLabels(input, model)
  open.addEventListener('click', () => {
    area.hidden = !area.hidden
    open.setAttribute('aria-expanded', String(!area.hidden))
    if (!area.hidden) input.focus()
  })
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const button = find(form, 'button', HTMLButtonElement)
    button.disabled = true
    const problem = await report(new FormData(form))
    button.disabled = false
    if (problem) showProblem(form, problem)
    else {
      sayThanks(area, open)
      reported()
    }
  })
}

/**
 * Offers the model's labels that contain the typed text. The labels are fetched when the field first gets the focus.
 * @param {HTMLInputElement} input
 * @param {string} model
 */
export function completeLabels(input, model) {
  const list = byId('labels')
  input.setAttribute('list', 'labels')
  input.addEventListener('focus', () => labelsOf(model))
  input.addEventListener('input', async () => {
    const typed = input.value.trim().toLowerCase()
    const all = await labelsOf(model)
    const fitting = typed === '' ? [] : all.filter((label) => label.toLowerCase().includes(typed))
    // Labels that begin with the typed text come first: users mean them more often.
    fitting.sort((one, other) => startsWith(other, typed) - startsWith(one, typed))
    list.replaceChildren(...fitting.slice(0, MAX_SHOWN).map(option))
  })
}

/** @param {string} model */
async function labelsOf(model) {
  labels ??= fetchLabels(model)
  const asked = labels
  const all = await asked
  // There are no labels while the model is loading, without a key, or without an answer: the next input asks again.
  if (all.length === 0 && labels === asked) labels = undefined
  return all
}

/**
 * @param {string} model
 * @returns {Promise<string[]>}
 */
async function fetchLabels(model) {
  try {
    const response = await fetch(`/labels/${encodeURIComponent(model)}`, { headers: keyHeaders() })
    return response.ok ? await response.json() : []
  } catch {
    return []
  }
}

/**
 * @param {string} label
 * @param {string} typed
 */
function startsWith(label, typed) {
  return Number(label.toLowerCase().startsWith(typed))
}

/** @param {string} label */
function option(label) {
  const item = document.createElement('option')
  item.value = label
  return item
}

/**
 * @param {FormData} body
 * @returns the message for the user when the report failed
 */
async function report(body) {
  try {
    await mustBeOk(await postWithKey('/feedback', { body }))
    return undefined
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return messageOf(error)
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} problem
 */
function showProblem(form, problem) {
  let line = form.querySelector('.report-problem')
  if (!line) {
    line = document.createElement('p')
    line.className = 'report-problem small'
    line.setAttribute('role', 'alert')
    form.append(line)
  }
  line.textContent = problem
}

/**
 * @param {HTMLElement} area
 * @param {HTMLElement} open
 */
function sayThanks(area, open) {
  const thanks = document.createElement('p')
  thanks.className = 'report-thanks'
  thanks.textContent = 'Thanks for your feedback'
  thanks.tabIndex = -1
  area.replaceChildren(thanks)
  thanks.focus()
  open.hidden = true
  say('Thanks for your feedback')
}

import { askForKey, keyHeaders } from './api-key.js'
import { Failure, send } from './classify.js'
import { say } from './say.js'

const MAX_SHOWN = 20

let labels

/** The form under an answer that is wrong: completes labels, and sends the right one. */
export function wireReport(card, { model, id, prediction, reported }) {
  const area = card.part('report')
  const form = area.querySelector('form')
  const open = card.button('report')
  const input = form.elements.report
  form.elements.id.value = id
  form.elements.model.value = model
  form.elements.prediction.value = prediction
  completeLabels(input, model)
  open.addEventListener('click', () => {
    area.hidden = !area.hidden
    open.setAttribute('aria-expanded', String(!area.hidden))
    if (!area.hidden) input.focus()
  })
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const button = form.querySelector('button')
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

/** Offers the model's labels that hold what has been typed; they are fetched when they are first needed. */
export function completeLabels(input, model) {
  const list = document.getElementById('labels')
  input.setAttribute('list', 'labels')
  input.addEventListener('focus', () => labelsOf(model))
  input.addEventListener('input', async () => {
    const typed = input.value.trim().toLowerCase()
    const all = await labelsOf(model)
    const fitting = typed === '' ? [] : all.filter((label) => label.toLowerCase().includes(typed))
    // What begins with it is what is meant more often.
    fitting.sort((one, other) => startsWith(other, typed) - startsWith(one, typed))
    list.replaceChildren(...fitting.slice(0, MAX_SHOWN).map(option))
  })
}

async function labelsOf(model) {
  labels ??= fetchLabels(model)
  const asked = labels
  const all = await asked
  // There are none of a model that is loading, for want of a key, or when nobody answers: it is asked again.
  if (all.length === 0 && labels === asked) labels = undefined
  return all
}

async function fetchLabels(model) {
  try {
    const response = await fetch(`/labels/${encodeURIComponent(model)}`, { headers: keyHeaders() })
    return response.ok ? await response.json() : []
  } catch {
    return []
  }
}

function startsWith(label, typed) {
  return Number(label.toLowerCase().startsWith(typed))
}

function option(label) {
  const item = document.createElement('option')
  item.value = label
  return item
}

/** The sentence to show when it was not taken. */
async function report(fields) {
  try {
    await send('/feedback', fields, 'application/json')
    return undefined
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (error.code === 'ERR_UNAUTHORIZED' && (await askForKey(error.message))) return report(fields)
    return error.message
  }
}

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

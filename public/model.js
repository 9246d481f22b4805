import { guessesOf } from './answer.js'
import { keyHeaders } from './api-key.js'
import { wireCamera } from './camera.js'
import { createCard } from './card.js'
import { classify } from './classify.js'
import { copyFrom } from './copy.js'
import { megabytes, shareWriter } from './figure-words.js'
import { followModel } from './follow-model.js'
import { createHistory } from './history.js'
import { wireIntake } from './intake.js'
import { byId, find, messageOf } from './page.js'
import { Failure } from './post.js'
import { completeLabels, wireReport } from './report.js'
import { say } from './say.js'
import { curlOf, jsonOf, save } from './share.js'
import { thumbnail } from './thumbnail.js'
import { Turns } from './turns.js'

/** @typedef {import('./answer.js').Answer} Answer */
/** @typedef {import('./card.js').Card} Card */
/** @typedef {import('./classify.js').Image} Image */
/** @typedef {import('./history.js').Entry} Entry */
/**
 * @typedef {object} Job
 * @property {Image} image
 * @property {Card} card
 * @property {AbortController} gone aborted when the card is removed
 * @property {boolean} isBusy
 * @property {boolean} canRetry whether another try may succeed
 * @property {Answer | undefined} [answer]
 * @property {string | undefined} [picture] a data URI
 * @property {boolean | undefined} [reported]
 */

const MAX_CARDS = 50
const AT_A_TIME = 4
/** The bytes that a form adds around a file. */
const FORM_BYTES = 1024
/** Selects the answer that came with the page, when the form was sent before this script ran. */
const SENT = '.results > article, .results > .notice'

const { path = '', model = '', maxBytes = '' } = byId('classify').dataset
const cards = byId('cards')
const turns = new Turns(AT_A_TIME)
const history = createHistory(model)
/** @type {Job[]} newest first, in the order of the cards */
let jobs = []

const readiness = followModel(model)

/** @param {Image[]} images */
function take(images) {
  complain('')
  const room = MAX_CARDS - jobs.filter(({ isBusy }) => isBusy).length
  if (images.length > room) {
    complain(
      `This page takes ${MAX_CARDS} pictures at a time: ${images.length - room} of ${images.length} were left out.`,
    )
  }
  for (const image of images.slice(0, room)) start(image)
  keepBound()
  // On a phone, the results are below the form.
  const title = byId('results-title')
  const { top } = title.getBoundingClientRect()
  if (images.length > 0 && (top < 0 || top > innerHeight / 2)) title.scrollIntoView()
}

/** @param {Image} image */
function start(image) {
  const job = addJob(image)
  find(job.card.item, 'article').classList.add('is-new')
  run(job)
}

/** @param {Job} job */
async function run(job) {
  const { card, image, gone } = job
  setBusy(job, true)
  job.canRetry = false
  showWhatIsThere()
  card.state({ state: 'waiting' })
  try {
    await prepare(job)
    const answer = await turns.run(() =>
      classify(path, image, { readiness, tell: card.state, signal: gone.signal }),
    )
    await finish(job, answer)
  } catch (error) {
    if (gone.signal.aborted) return
    job.canRetry = error instanceof Failure && error.mayPass
    card.failed(messageOf(error), job.canRetry)
    say(`${image.name}: ${messageOf(error)}`)
    // An error in this page's code also belongs in the console.
    if (!(error instanceof Failure)) throw error
  } finally {
    setBusy(job, false)
    showWhatIsThere()
  }
}

/**
 * @param {Job} job
 * @param {boolean} isBusy
 */
function setBusy(job, isBusy) {
  job.isBusy = isBusy
  job.card.item.setAttribute('aria-busy', String(isBusy))
  guardLeaving()
}

/** While pictures are under way, the browser asks the user before leaving the page, because the pictures would be lost. */
function guardLeaving() {
  // A permanent listener would keep the page out of the browser's back/forward cache.
  if (jobs.some(({ isBusy }) => isBusy)) addEventListener('beforeunload', askFirst)
  else removeEventListener('beforeunload', askFirst)
}

/** @param {BeforeUnloadEvent} event */
function askFirst(event) {
  event.preventDefault()
}

/**
 * Fetches a picture of this site, checks the size, and shows the picture.
 * @param {Job} job
 */
async function prepare(job) {
  const { image } = job
  if (image.own) {
    const response = await fetch(image.own, { headers: keyHeaders() }).catch(() => undefined)
    if (!response?.ok)
      throw new Failure(`${image.name} could not be loaded from this service.`, { mayPass: true })
    const blob = await response.blob()
    image.file = new File([blob], image.name, { type: blob.type })
  }
  if (!image.file) return
  if (image.file.size === 0) throw new Failure(`${image.name} is empty.`)
  if (image.file.size + FORM_BYTES > Number(maxBytes)) {
    throw new Failure(
      `${image.name} has ${megabytes(image.file.size)}, but this service takes no more than ${megabytes(Number(maxBytes))}.`,
    )
  }
  showPicture(job, image.file)
}

/**
 * @param {Job} job
 * @param {Blob} blob
 */
async function showPicture(job, blob) {
  job.picture = await thumbnail(blob)
  if (job.picture) job.card.picture(job.picture)
  if (job.answer) remember()
}

/**
 * @param {Job} job
 * @param {Answer} answer
 */
async function finish(job, answer) {
  const { card, image } = job
  job.answer = answer
  showAnswer(job, answer)
  const guesses = guessesOf(answer) ?? []
  const [best] = guesses
  const write = shareWriter(guesses)
  say(best ? `${image.name}: ${best.label}, ${write(best.probability)}` : `${image.name}: answered`)
  // A dozen photographs would fill the memory of a phone.
  image.file = undefined
  card.button('again').hidden = true
  remember()
  if (answer.image) await showStored(job, answer.image)
}

/**
 * Shows the service's copy of a picture from another site, and does not ask that site.
 * @param {Job} job
 * @param {string} address
 */
async function showStored(job, address) {
  const response = await fetch(address, { headers: keyHeaders() }).catch(() => undefined)
  if (response?.ok) await showPicture(job, await response.blob())
}

/**
 * @param {Job} job
 * @param {Answer} answer
 */
function showAnswer(job, answer) {
  const { card, image } = job
  card.done(answer)
  const text = jsonOf(answer)
  card.button('json').addEventListener('click', () => copyFrom(card.button('json'), text))
  card.button('save').addEventListener('click', () => save(text, `${model}-${answer.id}.json`))
  if (job.reported) card.button('report').hidden = true
  else {
    const prediction = guessesOf(answer)?.[0]?.name ?? ''
    wireReport(card, { model, id: answer.id, prediction, reported: () => keepReported(job) })
  }
  if (job.picture) card.picture(job.picture)
  card.button('remove').setAttribute('aria-label', `Remove ${image.name}`)
}

/** @param {Job} job */
function keepReported(job) {
  job.reported = true
  remember()
}

/**
 * @param {Image} image
 * @returns {Job}
 */
function addJob(image) {
  const card = createCard(image)
  /** @type {Job} */
  const job = { image, card, gone: new AbortController(), isBusy: false, canRetry: false }
  card.button('remove').addEventListener('click', () => remove(job))
  card.button('again').addEventListener('click', () => run(job))
  card
    .button('curl')
    .addEventListener('click', () =>
      copyFrom(card.button('curl'), curlOf(image, location.origin + path, 'X-Api-Key' in keyHeaders())),
    )
  jobs.unshift(job)
  cards.prepend(card.item)
  showWhatIsThere()
  return job
}

/** @param {Job} job */
function remove(job) {
  const at = jobs.indexOf(job)
  const next = jobs[at + 1] ?? jobs[at - 1]
  drop(job)
  remember()
  const focused = next?.card.button('remove') ?? byId('choose')
  focused.focus()
}

/** @param {Job} job */
function drop(job) {
  job.gone.abort()
  job.card.item.remove()
  jobs = jobs.filter((other) => other !== job)
  guardLeaving()
  showWhatIsThere()
}

/** Removes the oldest finished cards beyond the bound. */
function keepBound() {
  for (const job of jobs.toReversed()) {
    if (jobs.length <= MAX_CARDS) return
    if (!job.isBusy) drop(job)
  }
}

function remember() {
  history.write(
    jobs.flatMap(({ image: { name, url }, answer, picture, reported }) =>
      answer ? [{ name, url, answer, picture, reported }] : [],
    ),
  )
}

function restore() {
  for (const { name, url, answer, picture, reported } of history.read().slice(0, MAX_CARDS).reverse()) {
    const job = Object.assign(addJob({ name, url }), { answer, picture, reported })
    showAnswer(job, answer)
  }
}

function showWhatIsThere() {
  const isEmpty = jobs.length === 0 && document.querySelector(SENT) === null
  byId('clear').hidden = isEmpty
  byId('again-all').hidden = retriable().length < 2
  byId('none').hidden = !isEmpty
}

/** The jobs that can be tried again, oldest first. */
function retriable() {
  return jobs.filter(({ canRetry }) => canRetry).reverse()
}

/** @param {string} sentence */
function complain(sentence) {
  byId('problem').textContent = sentence
  byId('problem').hidden = sentence === ''
}

byId('again-all').addEventListener('click', () => {
  for (const job of retriable()) run(job)
  // The button is hidden now and has lost the focus.
  byId('clear').focus()
})
byId('clear').addEventListener('click', () => {
  for (const sent of document.querySelectorAll(SENT)) sent.remove()
  byId('results-title').textContent = 'Results'
  document.title = `${model} · Tandem`
  for (const job of jobs) drop(job)
  showWhatIsThere()
  remember()
  byId('choose').focus()
})
for (const form of document.querySelectorAll('.results > article form')) {
  completeLabels(find(form, '[name="report"]', HTMLInputElement), model)
}
restore()
showWhatIsThere()
wireIntake(byId('form', HTMLFormElement), take, complain)
wireCamera(take, complain)

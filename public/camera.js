import { fromFile } from './intake.js'
import { byId, messageOf, penOf } from './page.js'

/** @typedef {import('./intake.js').Take} Take */
/** @typedef {import('./intake.js').Complain} Complain */

const QUALITY = 0.92

/**
 * Shows the button for the camera. On a phone whose browser gives a page no camera, the button opens the camera app.
 * @param {Take} take
 * @param {Complain} complain
 */
export function wireCamera(take, complain) {
  const button = byId('camera', HTMLButtonElement)
  if ('mediaDevices' in navigator) {
    button.hidden = false
    wireDialog(button, take, complain)
    return
  }
  if (!matchMedia('(pointer: coarse)').matches) return
  const input = document.createElement('input')
  input.type = 'file'
  input.accept = 'image/*'
  input.setAttribute('capture', 'environment')
  input.addEventListener('change', () => take([...(input.files ?? [])].map(fromFile)))
  button.hidden = false
  button.addEventListener('click', () => input.click())
}

/**
 * @param {HTMLButtonElement} button
 * @param {Take} take
 * @param {Complain} complain
 */
function wireDialog(button, take, complain) {
  const dialog = byId('camera-dialog', HTMLDialogElement)
  const video = byId('camera-video', HTMLVideoElement)
  /** @type {MediaStream | undefined} */
  let stream
  button.addEventListener('click', async () => {
    // A second click would replace the stream, and the first stream could not be stopped any more.
    button.disabled = true
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
    } catch (error) {
      complain(`The camera cannot be used: ${messageOf(error)}.`.replace('..', '.'))
      return
    } finally {
      button.disabled = false
    }
    video.srcObject = stream
    dialog.showModal()
    // play() rejects when the dialog is closed before the first picture.
    video.play().catch(() => {})
  })
  byId('camera-take').addEventListener('click', async () => {
    if (video.videoWidth === 0) return
    const blob = await still(video)
    dialog.close()
    if (blob === null) return complain('The camera delivered no picture.')
    take([fromFile(new File([blob], 'camera.jpg', { type: 'image/jpeg' }))])
  })
  byId('camera-close').addEventListener('click', () => dialog.close())
  dialog.addEventListener('close', () => {
    for (const track of stream?.getTracks() ?? []) track.stop()
    stream = undefined
    video.srcObject = null
    // The button lost the focus when it was disabled, so the dialog cannot give the focus back.
    button.focus()
  })
}

/**
 * @param {HTMLVideoElement} video
 * @returns {Promise<Blob | null>}
 */
function still(video) {
  const canvas = document.createElement('canvas')
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  penOf(canvas).drawImage(video, 0, 0)
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
}

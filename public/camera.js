import { fromFile } from './intake.js'

const QUALITY = 0.92

/** A button for the camera, where there may be one; on a phone without access to it, the phone's own camera app. */
export function wireCamera(take, complain) {
  const button = document.getElementById('camera')
  if (navigator.mediaDevices?.getUserMedia) {
    button.hidden = false
    wireDialog(button, take, complain)
    return
  }
  if (!matchMedia('(pointer: coarse)').matches) return
  const input = document.createElement('input')
  input.type = 'file'
  input.accept = 'image/*'
  input.setAttribute('capture', 'environment')
  input.addEventListener('change', () => take([...input.files].map(fromFile)))
  button.hidden = false
  button.addEventListener('click', () => input.click())
}

function wireDialog(button, take, complain) {
  const dialog = document.getElementById('camera-dialog')
  const video = document.getElementById('camera-video')
  let stream
  button.addEventListener('click', async () => {
    // A second stream would take the place of the first, which nobody could stop any more.
    button.disabled = true
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
    } catch (error) {
      complain(`The camera cannot be used: ${error.message}.`.replace('..', '.'))
      return
    } finally {
      button.disabled = false
    }
    video.srcObject = stream
    dialog.showModal()
    // Whoever closes the dialog before the first picture ends the playing before it began.
    video.play().catch(() => {})
  })
  document.getElementById('camera-take').addEventListener('click', async () => {
    if (video.videoWidth === 0) return
    const blob = await still(video)
    dialog.close()
    take([fromFile(new File([blob], 'camera.jpg', { type: 'image/jpeg' }))])
  })
  document.getElementById('camera-close').addEventListener('click', () => dialog.close())
  dialog.addEventListener('close', () => {
    for (const track of stream?.getTracks() ?? []) track.stop()
    stream = undefined
    video.srcObject = null
    // The button lost the focus when it was disabled, and the dialog knows of no other place to lead back to.
    button.focus()
  })
}

function still(video) {
  const canvas = document.createElement('canvas')
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  canvas.getContext('2d').drawImage(video, 0, 0)
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
}

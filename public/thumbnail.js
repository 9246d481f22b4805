import { penOf } from './page.js'

const SIDE = 320
const QUALITY = 0.75

/**
 * A small copy of an image as a data URI; undefined when the browser cannot draw the image.
 * @param {Blob} blob
 */
export async function thumbnail(blob) {
  let bitmap
  try {
    bitmap = await createImageBitmap(blob)
    const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height))
    const canvas = document.createElement('canvas')
    canvas.width = Math.max(1, Math.round(bitmap.width * scale))
    canvas.height = Math.max(1, Math.round(bitmap.height * scale))
    const pen = penOf(canvas)
    // JPEG has no transparency, and transparent pixels would turn black.
    pen.fillStyle = '#fff'
    pen.fillRect(0, 0, canvas.width, canvas.height)
    pen.imageSmoothingQuality = 'high'
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    return canvas.toDataURL('image/jpeg', QUALITY)
  } catch {
    return undefined
  } finally {
    bitmap?.close()
  }
}

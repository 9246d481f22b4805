/** Converts RGB to one channel as Pillow's convert('L'): ITU-R 601-2 with fractions of 16 bits. */
export function grey(colours: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(colours.length / 3)
  for (let i = 0; i < pixels.length; i++) {
    const red = colours[i * 3] ?? 0
    const green = colours[i * 3 + 1] ?? 0
    const blue = colours[i * 3 + 2] ?? 0
    pixels[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
  }
  return pixels
}

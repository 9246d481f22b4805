import sharp from 'sharp'
import type { Picture } from './picture.ts'

const WIDTH = 500
const HEIGHT = 375
const QUALITY = 85
const COUNT = 12

/** JPEGs of landscapes by formula. They compress about as photographs do, and are the same ones on every machine. */
export function photographs(count = COUNT): Promise<Picture[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => ({
      bytes: await sharp(landscape(index), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
        .jpeg({ quality: QUALITY })
        .toBuffer(),
      name: `photograph-${index + 1}.jpg`,
      type: 'image/jpeg',
    })),
  )
}

/** A sky with a sun above hills; clouds, grass and grain are noise at three scales. */
function landscape(seed: number): Uint8Array {
  const pixels = new Uint8ClampedArray(WIDTH * HEIGHT * 3)
  const sunX = random(seed, 1) * WIDTH
  const sunY = random(seed, 2) * HEIGHT * 0.4
  const sunRadius = 15 + random(seed, 3) * 40
  const hue = random(seed, 4)
  const hills = Array.from(
    { length: WIDTH },
    (_, x) => HEIGHT * (0.55 + 0.12 * Math.sin(x / (70 + 40 * hue) + seed) + 0.05 * Math.sin(x / 23)),
  )
  let at = 0
  for (let y = 0; y < HEIGHT; y++) {
    const coarse = noiseAlong(seed, y / 25, 60)
    const fine = noiseAlong(seed + 50, y / 5, 9)
    for (let x = 0; x < WIDTH; x++) {
      const texture = (coarse[x] ?? 0) * 0.6 + (fine[x] ?? 0) * 0.4
      const grain = (random(seed, y * WIDTH + x + 10) - 0.5) * 24
      const isSun = Math.hypot(x - sunX, y - sunY) < sunRadius
      const colour =
        y > (hills[x] ?? 0) ? ground(texture, hue, y / HEIGHT) : sky(texture, hue, y / HEIGHT, isSun)
      for (let i = 0; i < 3; i++) pixels[at++] = (colour[i] ?? 0) + grain
    }
  }
  return new Uint8Array(pixels.buffer)
}

type Colour = readonly [number, number, number]

function sky(texture: number, hue: number, height: number, isSun: boolean): Colour {
  if (isSun) return [250, 225 + 20 * texture, 150 + 60 * texture]
  const cloud = Math.max(0, texture - 0.5) * 260
  return [90 + 90 * height + 60 * hue + cloud, 130 + 80 * height + cloud, 210 + 20 * height + cloud / 2]
}

function ground(texture: number, hue: number, height: number): Colour {
  const light = 0.5 + texture * 0.8
  return [light * (60 + 70 * hue), light * (120 - 30 * height), light * (40 + 30 * hue)]
}

/** Value noise for one row of pixels: random numbers on a lattice, `step` pixels apart, and smooth between them. */
function noiseAlong(seed: number, y: number, step: number): Float64Array {
  const top = Math.floor(y)
  const below = smooth(y - top)
  const at = (column: number, row: number) => random(seed, row * 1009 + column + 1_000_000)
  const lattice = Array.from({ length: Math.ceil(WIDTH / step) + 1 }, (_, column) =>
    mix(at(column, top), at(column, top + 1), below),
  )
  return Float64Array.from({ length: WIDTH }, (_, x) => {
    const left = Math.floor(x / step)
    return mix(lattice[left] ?? 0, lattice[left + 1] ?? 0, smooth(x / step - left))
  })
}

function smooth(part: number): number {
  return part * part * (3 - 2 * part)
}

function mix(a: number, b: number, part: number): number {
  return a + (b - a) * part
}

/** From 0 to 1, the same for the same two numbers. */
function random(seed: number, index: number): number {
  let x = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index, 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39)
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32
}

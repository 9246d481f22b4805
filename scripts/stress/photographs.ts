import sharp from 'sharp'
import type { Picture } from './pictures.ts'

const WIDTH = 500
const HEIGHT = 375
const QUALITY = 85
const COUNT = 12

/** JPEGs of landscapes by formula. They compress about as photographs do, and are the same ones on every machine. */
export function photographs(): Promise<Picture[]> {
  return Promise.all(
    Array.from({ length: COUNT }, async (_, index) => ({
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
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3)
  const sunX = random(seed, 1) * WIDTH
  const sunY = random(seed, 2) * HEIGHT * 0.4
  const sunRadius = 15 + random(seed, 3) * 40
  const hue = random(seed, 4)
  let at = 0
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const texture = noise(seed, x / 60, y / 25) * 0.6 + noise(seed + 50, x / 9, y / 5) * 0.4
      const grain = (random(seed, y * WIDTH + x + 10) - 0.5) * 24
      const hill = HEIGHT * (0.55 + 0.12 * Math.sin(x / (70 + 40 * hue) + seed) + 0.05 * Math.sin(x / 23))
      const isSun = Math.hypot(x - sunX, y - sunY) < sunRadius
      const colour = y > hill ? ground(texture, hue, y / HEIGHT) : sky(texture, hue, y / HEIGHT, isSun)
      for (const value of colour) pixels[at++] = Math.min(255, Math.max(0, value + grain))
    }
  }
  return pixels
}

function sky(texture: number, hue: number, height: number, isSun: boolean): readonly number[] {
  if (isSun) return [250, 225 + 20 * texture, 150 + 60 * texture]
  const cloud = Math.max(0, texture - 0.5) * 260
  return [90 + 90 * height + 60 * hue + cloud, 130 + 80 * height + cloud, 210 + 20 * height + cloud / 2]
}

function ground(texture: number, hue: number, height: number): readonly number[] {
  const light = 0.5 + texture * 0.8
  return [light * (60 + 70 * hue), light * (120 - 30 * height), light * (40 + 30 * hue)]
}

/** Value noise: random numbers on a lattice, and smooth between them. */
function noise(seed: number, x: number, y: number): number {
  const left = Math.floor(x)
  const top = Math.floor(y)
  const at = (column: number, row: number) => random(seed, (top + row) * 1009 + left + column + 1_000_000)
  const [u, v] = [smooth(x - left), smooth(y - top)]
  return mix(mix(at(0, 0), at(1, 0), u), mix(at(0, 1), at(1, 1), u), v)
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

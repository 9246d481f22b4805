/** Photographs while image bombs arrive between them, and what the checks of the headers cost: `npm run bench -- bombs`. */
import { Agent } from 'node:http'
import sharp from 'sharp'
import { readJpegHeader } from '../pipeline/image/decode/jpeg-header.ts'
import { readPngHeader } from '../pipeline/image/decode/png-header.ts'
import { webpFirstFrame } from '../pipeline/image/decode/webp-frame.ts'
import { type ImageOptions, readImage } from '../pipeline/image/read-image.ts'
import { avifItems, avifTiles } from '../test/support/avif-bombs.ts'
import { jpegScans, pngTexts, tiff, webpFrames } from '../test/support/image-bombs.ts'
import { noiseImage } from '../test/support/synthetic.ts'
import { type BenchService, send, startService } from './http.ts'
import { machine, percentile, table } from './statistics.ts'
import { prepared } from './synthetic-model.ts'

const PHOTOGRAPHS = Number(process.argv[3] ?? 2000)
const BOMBS = 200
// Each takes 400 MB to decode and passes every check of its headers.
const UNKNOWN_BOMBS = 10
const CALLERS = 8
const MODEL = 'mobilenet'
const MIB = 2 ** 20

const photo = await photograph(1100, 820)
console.log(
  `${machine()}, ${MODEL}, ${CALLERS} callers, photographs of ${Math.round(photo.length / 1000)} KB\n`,
)

const known = [
  pngTexts(100, 7_900_000),
  jpegScans(4000, 3000, 1500),
  webpFrames(await sharp(photo).resize(1, 1).webp().toBuffer(), 90_000),
  tiff(160_000),
  await avifTiles(255, 1, 1000, [1000, 1000]),
  await avifItems(250, Buffer.alloc(8 * MIB)),
]
const create = { width: 7000, height: 7000, channels: 4, background: 'red' } as const
const unknown = [await sharp({ create }).webp({ lossless: true, effort: 0 }).toBuffer()]

const { settings } = await prepared(MODEL)
const service = await startService({ ...settings, DEVICE: 'cpu' })
await service.seen('model state', { state: 'ready' })
const quiet = await measure('no bombs', service, [], 0)
const attacked = await measure(`${BOMBS} bombs of ${known.length} kinds`, service, known, BOMBS)
await service.stop()

const narrow = await startService({ ...settings, DEVICE: 'cpu', CHILD_MEMORY: '200mb' })
await narrow.seen('model state', { state: 'ready' })
const killed = await measure(`${UNKNOWN_BOMBS} bombs that end their child`, narrow, unknown, UNKNOWN_BOMBS)
await narrow.stop()

const head = ['meanwhile', 'photographs', 'lost', 'p50 ms', 'p99 ms', 'worst ms', 'children ended', 'bombs']
console.log(`${table(head, [quiet, attacked, killed])}\n`)
console.log(table(['100 KB', 'headers µs', 'decoding and scaling ms'], await checks()))

interface Tally {
  readonly times: number[]
  lost: number
  readonly outcomes: Map<string, number>
}

/** The callers post photographs one after another; bombs are spread evenly among them, each from a caller of its own. */
async function measure(
  name: string,
  { url, ended }: BenchService,
  bombs: readonly Buffer[],
  count: number,
): Promise<string[]> {
  const agent = new Agent({ keepAlive: true })
  const tally: Tally = { times: [], lost: 0, outcomes: new Map() }
  const before = ended()
  const attacks: Promise<void>[] = []
  let next = 0
  const caller = async () => {
    for (let turn = next++; turn < PHOTOGRAPHS; turn = next++) {
      const due = Math.floor(((turn + 1) * count) / PHOTOGRAPHS)
      const bomb = bombs[due % bombs.length]
      if (bomb && due > Math.floor((turn * count) / PHOTOGRAPHS))
        attacks.push(attack(url, agent, bomb, tally))
      await predict(url, agent, tally)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  await Promise.all(attacks)
  agent.destroy()
  const { times, lost, outcomes } = tally
  const figures = [percentile(times, 0.5), percentile(times, 0.99), Math.max(...times)]
  const answers = [...outcomes].map(([outcome, times]) => `${times} × ${outcome}`).join(', ')
  const counts = [String(PHOTOGRAPHS), String(lost), ...figures.map((ms) => ms.toFixed(0))]
  return [name, ...counts, String(ended() - before), answers]
}

async function predict(url: string, agent: Agent, tally: Tally): Promise<void> {
  const start = performance.now()
  try {
    await send(`${url}/${MODEL}`, agent, photo)
    tally.times.push(performance.now() - start)
  } catch {
    tally.lost++
  }
}

async function attack(url: string, agent: Agent, bomb: Buffer, { outcomes }: Tally): Promise<void> {
  const answer = send(`${url}/${MODEL}`, agent, bomb)
  const outcome = await answer.then(
    () => 'predicted',
    (error: Error) => /ERR_\w+/.exec(error.message)?.[0] ?? error.message,
  )
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
}

/** What reading the headers costs beside the decoding that follows. */
async function checks(): Promise<string[][]> {
  const exif = { exif: { IFD0: { ImageDescription: 'a photograph', Copyright: 'nobody' } } }
  const picture = () => sharp(photo).withMetadata(exif)
  const files = [
    ['JPEG', await picture().jpeg({ quality: 75 }).toBuffer(), (file: Buffer) => readJpegHeader(file, false)],
    [
      'progressive JPEG',
      await picture().jpeg({ quality: 75, progressive: true }).toBuffer(),
      (file: Buffer) => readJpegHeader(file, false),
    ],
    ['PNG', await picture().resize(260).png().toBuffer(), (file: Buffer) => readPngHeader(file, false)],
    ['WebP', await picture().webp({ quality: 85 }).toBuffer(), (file: Buffer) => webpFirstFrame(file, false)],
  ] as const
  const options: ImageOptions = { width: 224, height: 224, interpolation: 'bilinear', crop: 'stretch' }
  const rows = []
  for (const [name, file, read] of files) {
    const headers = await median(2000, () => read(file))
    const whole = await median(30, () => readImage(file, options))
    const kb = Math.round(file.length / 1000)
    rows.push([`${name}, ${kb} KB`, (headers * 1000).toFixed(1), whole.toFixed(1)])
  }
  return rows
}

/** The median time of `work` in milliseconds. */
async function median(times: number, work: () => unknown): Promise<number> {
  const taken = []
  for (let i = 0; i < times; i++) {
    const start = performance.now()
    await work()
    taken.push(performance.now() - start)
  }
  return percentile(taken, 0.5)
}

/** A photograph has texture: noise that was blurred. */
function photograph(width: number, height: number): Promise<Buffer> {
  return sharp(noiseImage(height, width), { raw: { width, height, channels: 3 } })
    .blur(1.2)
    .jpeg({ quality: 72 })
    .toBuffer()
}

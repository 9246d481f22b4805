/** `tandem predict` over a folder of photographs, compared with the bare ONNX Runtime session on the same cores in one run. */
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { writeSyntheticH5 } from '../test/support/synthetic-h5.ts'
import { photograph } from './callers.ts'
import { childrenOf, kernelFigure, mib } from './child-memory.ts'
import { machine, table } from './statistics.ts'

const BATCH = 8
const BARE_MS = 15_000
/** What the ratio and the duration are told for. */
const MANY = 10_000
const TANDEM = fileURLToPath(new URL('../tandem.ts', import.meta.url))

const [name = 'vgg16', count = '2000'] = process.argv.slice(3)
const pictures = Number(count)
const folder = join(tmpdir(), 'tandem-bench')
const album = join(folder, `album-${pictures}`)
const weights = join(folder, `${name}.h5`)
// A folder of its own: in that of `npm run bench -- models`, the model is tuned.
const cache = join(folder, `cache-predict-${name}`)

interface Sample {
  readonly done: number
  readonly command: number
  readonly child: number
}

interface Run {
  /** milliseconds until the first result, and from the first to the last */
  readonly firstMs: number
  readonly restMs: number
  readonly samples: readonly Sample[]
}

console.log(`${machine()}\n`)
mkdirSync(album, { recursive: true })
if (!existsSync(weights)) await writeSyntheticH5(name, weights)
const photo = join(folder, 'photo.jpg')
writeFileSync(photo, await photograph())
for (let at = readdirSync(album).length; at < pictures; at++)
  linkSync(photo, join(album, `${String(at).padStart(6, '0')}.jpg`))
// Compiles, so that the measured run finds what a second use finds.
await predict([photo])

const bare = fork(new URL('./peers/bare-session.ts', import.meta.url), [
  compiled(),
  String(availableParallelism()),
])
await once(bare, 'message')
const before = await bareRate()
const { firstMs, restMs, samples } = await predict([album])
const after = await bareRate()
bare.disconnect()
rmSync(album, { recursive: true })

const bareMean = (before + after) / 2
const steady = ((pictures - 1) * 1000) / restMs
const whole = (MANY * 1000) / (firstMs + (MANY * 1000) / steady)
const ratio = (rate: number) => (rate / bareMean).toFixed(3)
console.log(
  table(
    ['figure', 'measured'],
    [
      ['model, pictures', `${name}, ${pictures}`],
      [`bare session, batch ${BATCH}, before and after`, `${before.toFixed(2)}/s, ${after.toFixed(2)}/s`],
      ['start to the first result', `${(firstMs / 1000).toFixed(1)} s`],
      ['from the first result to the last', `${steady.toFixed(2)}/s, ${ratio(steady)} of bare`],
      [`${MANY} pictures with the start, at this rate`, `${whole.toFixed(2)}/s, ${ratio(whole)} of bare`],
    ],
  ),
)
const shown = [0.1, 0.25, 0.5, 0.75, 1].flatMap(
  (part) => samples.filter(({ done }) => done <= part * pictures).at(-1) ?? [],
)
console.log(
  `\n${table(
    ['pictures done', 'memory of the command', 'private memory of its child'],
    shown.map(({ done, command, child }) => [String(done), mib(command), mib(child)]),
  )}`,
)

/** Runs the command to its end. */
async function predict(words: readonly string[]): Promise<Run> {
  const started = performance.now()
  const args = [
    '--import',
    'tsx',
    TANDEM,
    'predict',
    '--ndjson',
    '--top',
    '1',
    '--model',
    `${name}=${weights}`,
  ]
  const child = spawn(process.execPath, [...args, '--weights-dir', cache, '--device', 'cpu', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const exit = once(child, 'exit')
  const samples: Sample[] = []
  let done = 0
  let first = 0
  const timer = setInterval(() => {
    // Before the first result, the child loads the model.
    if (done > 0 && child.pid !== undefined) samples.push(...sample(child.pid, done))
  }, 1000)
  for await (const line of createInterface(child.stdout)) {
    if ('error' in JSON.parse(line)) throw new Error(line)
    if (done++ === 0) first = performance.now()
  }
  const last = performance.now()
  clearInterval(timer)
  const [code] = await exit
  process.off('exit', kill)
  if (code !== 0) throw new Error(`tandem predict has ended with ${code}.`)
  return { firstMs: first - started, restMs: last - first, samples }
}

/** Empty if one of the processes has ended. */
function sample(pid: number, done: number): Sample[] {
  const figure = (pid: number | undefined, field: string) =>
    kernelFigure(readFileSync(`/proc/${pid}/status`, 'utf8'), field)
  try {
    const [child] = childrenOf(pid)
    return [{ done, command: figure(pid, 'VmRSS'), child: figure(child, 'RssAnon') }]
  } catch {
    return []
  }
}

async function bareRate(): Promise<number> {
  bare.send({ batch: BATCH, forMs: BARE_MS })
  const [{ imagesPerSecond }] = await once(bare, 'message')
  return imagesPerSecond
}

/** The compiled model; folders inside its own have saved graphs. */
function compiled(): string {
  const [file] = readdirSync(cache, { recursive: true, encoding: 'utf8' })
    .filter((entry) => entry.endsWith('.onnx'))
    .sort((a, b) => a.length - b.length)
  if (!file) throw new Error(`There is no compiled model in ${cache}.`)
  return join(cache, file)
}

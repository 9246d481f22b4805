import { constants } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { cpus, freemem, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { Config } from '../config/config.ts'
import { VERSION } from '../config/version.ts'
import { askPipeline } from './ask-pipeline.ts'
import { byteWords } from './byte-words.ts'
import { type Command, type CommandLine, EXIT } from './command.ts'
import { type Kept, keptWeights } from './weights.ts'

/** One line of the report. `bad`: Tandem cannot work so; `note`: it works, but could do better. */
export interface Finding {
  readonly state: 'good' | 'note' | 'bad'
  readonly about: string
  readonly text: string
}

const MARKS = { good: 'ok  ', note: 'note', bad: 'BAD ' } as const
/** The oldest versions of each line that have what Tandem needs; the field "engines" of the package has the first. */
const OLDEST_NODE = [20, 19] as const
const LITTLE_MEMORY_BYTES = 1.5e9

export const doctorCommand: Command = {
  usage: 'doctor',
  about:
    'Checks this machine and the settings: Node, memory, CPU, GPU, port, folders and\nweights. Each line that is not "ok" says what to do. The exit code is 1 if one\nis BAD.',
  options: { json: { help: 'the findings as JSON' } },
  takesSettings: true,
  examples: ['tandem doctor', 'tandem doctor --port 80 --weights-dir /srv/weights'],
  run: doctor,
}

async function doctor({ config, options }: CommandLine): Promise<number> {
  const findings = (
    await Promise.all([
      [nodeVersion(process.versions.node), await memory(), processor(await cpuFlags())],
      machine(),
      port(config),
      folder('weights', config.weightsDir),
      folder('feedback', config.feedbackDir),
      weights(config),
    ])
  ).flat()
  if (options.json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`)
  else {
    process.stdout.write(`Tandem ${VERSION}\n`)
    for (const { state, about, text } of findings)
      process.stdout.write(`${MARKS[state]}  ${about}: ${text}\n`)
  }
  return findings.some(({ state }) => state === 'bad') ? EXIT.failed : EXIT.done
}

export function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldest, least] = OLDEST_NODE
  const isEnough = major > oldest || (major === oldest && minor >= least)
  if (isEnough) return { state: 'good', about: 'Node', text: version }
  return { state: 'bad', about: 'Node', text: `${version} is too old; install ${oldest}.${least} or newer.` }
}

async function memory(): Promise<Finding> {
  const limit = await containerLimit()
  const free = Math.min(freemem(), limit)
  const text = `${byteWords(free)} free of ${byteWords(Math.min(totalmem(), limit))}`
  if (free >= LITTLE_MEMORY_BYTES) return { state: 'good', about: 'memory', text }
  return {
    state: 'note',
    about: 'memory',
    text: `${text}; serve small models such as mobilenet_v2, and set --workers 1.`,
  }
}

/** The memory that the control group of this process allows. */
async function containerLimit(): Promise<number> {
  const text = await readFile('/sys/fs/cgroup/memory.max', 'utf8').catch(() => 'max')
  return text.trim() === 'max' ? Number.POSITIVE_INFINITY : Number(text)
}

/** Empty where the system does not list them in a file. */
async function cpuFlags(): Promise<ReadonlySet<string>> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const [, flags = ''] = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text) ?? []
  return new Set(flags.split(' ').filter((flag) => flag !== ''))
}

export function processor(flags: ReadonlySet<string>): Finding {
  const list = cpus()
  const name = `${list.length} × ${list[0]?.model.trim() || process.arch}`
  if (process.arch !== 'x64' || flags.size === 0) return { state: 'good', about: 'CPU', text: name }
  const has = (label: string, ...names: string[]) => (names.some((flag) => flags.has(flag)) ? [label] : [])
  const features = [
    ...has('AVX2', 'avx2'),
    ...has('AVX-512', 'avx512f'),
    ...has('VNNI', 'avx512_vnni', 'avx_vnni'),
  ]
  const text = `${name}${features.length > 0 ? ` with ${features.join(', ')}` : ''}`
  if (flags.has('avx2')) return { state: 'good', about: 'CPU', text }
  return {
    state: 'note',
    about: 'CPU',
    text: `${text}, without AVX2: predictions take several times as long as on newer processors.`,
  }
}

/** Whether the native packages can be loaded, and the devices that they find. */
async function machine(): Promise<Finding[]> {
  const Facts = z.object({ devices: z.array(z.string()), onnxRuntime: z.string(), imageLibrary: z.string() })
  try {
    const facts = Facts.parse(await askPipeline({ module: 'machine-facts', name: 'machine', options: {} }))
    const gpus = facts.devices.filter((device) => device !== 'cpu')
    return [
      { state: 'good', about: 'packages', text: `ONNX Runtime ${facts.onnxRuntime}, ${facts.imageLibrary}` },
      { state: 'good', about: 'GPU', text: gpus.length > 0 ? gpus.join(', ') : await withoutGpu() },
    ]
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [
      {
        state: 'bad',
        about: 'packages',
        text: `they cannot be loaded; install Tandem again on this system. ${reason}`,
      },
    ]
  }
}

async function withoutGpu(): Promise<string> {
  const isThere = async (path: string) =>
    access(path).then(
      () => true,
      () => false,
    )
  const hasHardware = (await isThere('/dev/nvidia0')) || (await isThere('/dev/dri/renderD128'))
  return hasHardware
    ? 'there is one, but no Vulkan driver and no libraries of CUDA for it: docs/models.md says how to add them.'
    : 'none found; models run on the CPU.'
}

async function port({ host, port }: Config): Promise<Finding> {
  const server = createServer()
  const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once('error', resolve)
    server.listen(port, host, () => resolve(undefined))
  })
  server.close()
  const about = `port ${port}`
  if (failure === undefined) return { state: 'good', about, text: `free on ${host}` }
  if (failure.code === 'EADDRINUSE')
    return { state: 'note', about, text: `another process listens there; choose another one with --port.` }
  return {
    state: 'bad',
    about,
    text: `it cannot be used on ${host} (${failure.code}); choose another one with --port or --host.`,
  }
}

/** Whether a folder can be written, or made. */
async function folder(name: string, path: string): Promise<Finding> {
  const full = resolve(path)
  const about = `folder of ${name}`
  let existing = full
  while ((await stat(existing).catch(() => undefined)) === undefined && dirname(existing) !== existing) {
    existing = dirname(existing)
  }
  const isWritable = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  )
  if (isWritable)
    return { state: 'good', about, text: existing === full ? full : `${full}, made when needed` }
  const flag = `--${name}-dir`
  return {
    state: 'note',
    about,
    text: `${existing} cannot be written; change its rights, or choose another folder with ${flag}.`,
  }
}

/** The weights of the models in MODELS, without reading them: `weights verify` does that. */
async function weights(config: Config): Promise<Finding[]> {
  const wanted = config.models.map(({ name }) => name)
  try {
    const { weights, compiled } = await keptWeights(config, 'list', wanted)
    const made = `${compiled.models} models, ${byteWords(compiled.bytes)}, in ${compiled.folder}`
    return [...weights.map(weightsOf), { state: 'good', about: 'compiled', text: made }]
  } catch (error) {
    return [{ state: 'bad', about: 'weights', text: error instanceof Error ? error.message : String(error) }]
  }
}

export function weightsOf({
  name,
  state,
  bytes,
  have,
  note,
}: Omit<Kept['weights'][number], 'compiled'>): Finding {
  const about = `weights of ${name}`
  if (state === 'built in') return { state: 'good', about, text: 'part of Tandem' }
  // Only a file of the user's has a note here: it cannot be downloaded.
  if (state === 'absent' && note !== undefined) return { state: 'bad', about, text: note }
  const size = bytes === null ? '' : ` (${byteWords(bytes)})`
  if (state === 'absent') {
    return {
      state: 'note',
      about,
      text: `not there${size}; "tandem weights pull ${name}" downloads them before the first start.`,
    }
  }
  if (state === 'part') {
    return {
      state: 'note',
      about,
      text: `${byteWords(have)} of the download are there${size}; "tandem weights pull ${name}" continues.`,
    }
  }
  if (bytes === null || bytes === have) return { state: 'good', about, text: byteWords(have) }
  return {
    state: 'bad',
    about,
    text: `the file has ${have} bytes instead of ${bytes}; "tandem weights verify ${name}" says more.`,
  }
}

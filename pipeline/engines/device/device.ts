import { PipelineError } from '../../errors.ts'
import type { Device, Engine } from '../engine.ts'
import { relativeDifference } from '../relative-difference.ts'
import { type Measured, measure } from './measure.ts'

type Probe = (device: Device, sample: Uint8Array) => Promise<Measured>

export interface DeviceOptions<Its extends Engine = Engine> {
  readonly wanted: 'auto' | Device
  readonly open: (device: Device) => Promise<Its>
  /** The devices to try; the CPU is always one. */
  readonly available: readonly Device[]
  /** Images in the form of the engine's input. */
  readonly sample: (engine: Its, images: number) => Uint8Array
  /** How many images are computed at once when devices are measured. */
  readonly batch: number
  /** Measures a device that may crash or never answer, with a batch; by default in this process. */
  readonly probe?: Probe
}

export interface DeviceChoice<Its extends Engine = Engine> {
  readonly engine: Its
  /** One sentence: which device was chosen, and why. */
  readonly report: string
}

/**
 * The largest allowed difference between a device's numbers and the CPU's, relative to the CPU's largest number.
 * Another order of additions makes up to 1e-5, the shortened floats of NVIDIA's convolutions about 1e-4; a wrong shader
 * makes more than 1e-1.
 */
const TOLERANCE = 1e-3
const CHECKED_IMAGES = 2

/** Opens the model on the wanted device; with `auto`, on the fastest device that gives the CPU's numbers. */
export async function chooseDevice<Its extends Engine>(
  options: DeviceOptions<Its>,
): Promise<DeviceChoice<Its>> {
  const { wanted, open, available } = options
  if (wanted === 'cpu') return { engine: await open('cpu'), report: 'cpu, as asked for' }
  if (wanted !== 'auto') return openWanted(wanted, options)
  const others = available.filter((device) => device !== 'cpu')
  const engine = await open('cpu')
  // Without another device to compare with, measuring would only delay the start.
  if (others.length === 0) return { engine, report: 'cpu, the only device here' }
  try {
    return await chooseMeasured(engine, others, options)
  } catch (error) {
    await engine.close()
    throw error
  }
}

type Gpu = Exclude<Device, 'cpu'>

/** A wrong shader answers without an error, so that the numbers of a requested device are checked, too. */
async function openWanted<Its extends Engine>(
  device: Gpu,
  { open, sample, batch }: DeviceOptions<Its>,
): Promise<DeviceChoice<Its>> {
  // Two images, since another shader may compute a batch. More would only delay the start.
  const count = Math.min(batch, CHECKED_IMAGES)
  const engine = await openGpu(device, open)
  try {
    const images = sample(engine, count)
    const found = await engine.run(images, count)
    const cpu = await open('cpu')
    const expected = await cpu.run(images, count).finally(() => cpu.close())
    const difference = relativeDifference(found, expected)
    if (difference <= TOLERANCE) return { engine, report: `${device}, as asked for` }
    throw new PipelineError(
      'ERR_ENGINE',
      `The device ${device} cannot be used for this model: ${differs(difference)}. DEVICE=auto chooses the fastest device that computes right.`,
    )
  } catch (error) {
    await engine.close()
    throw error
  }
}

async function openGpu<Its extends Engine>(device: Gpu, open: DeviceOptions<Its>['open']): Promise<Its> {
  try {
    return await open(device)
  } catch (cause) {
    if (cause instanceof PipelineError && cause.code !== 'ERR_ENGINE') throw cause
    throw new PipelineError(
      'ERR_ENGINE',
      `The device ${device} cannot be used: ${reasonOf(cause)}${HINTS[device]}`,
      { cause },
    )
  }
}

const HINTS: Readonly<Record<Gpu, string>> = {
  webgpu: ' (it needs a GPU with a driver for Vulkan, Metal or Direct3D 12)',
  cuda: ' (docs/models.md says how its libraries are added under Linux)',
}

interface Candidate {
  readonly device: Device
  readonly ms: number
}

async function chooseMeasured<Its extends Engine>(
  cpu: Its,
  others: readonly Device[],
  options: DeviceOptions<Its>,
): Promise<DeviceChoice<Its>> {
  const { open, batch } = options
  const probe = options.probe ?? ((device, sample) => probeHere(device, sample, options))
  const sample = options.sample(cpu, batch)
  const expected = await measure(cpu, sample, batch)
  const refused: string[] = []
  const candidates: Candidate[] = []
  for (const device of others) {
    const verdict = await judge(expected, () => probe(device, sample))
    if (typeof verdict === 'string') refused.push(`${device} refused: ${verdict}`)
    else candidates.push({ device, ms: verdict })
  }
  // A tie goes to the CPU, listed first here: the model is already open on it.
  const ranking = [{ device: 'cpu' as Device, ms: expected.ms }, ...candidates].sort((a, b) => a.ms - b.ms)
  for (const { device } of ranking) {
    if (device === 'cpu') return { engine: cpu, report: reportOf(device, batch, ranking, refused) }
    try {
      const engine = await open(device)
      await cpu.close()
      return { engine, report: reportOf(device, batch, ranking, refused) }
    } catch (error) {
      refused.push(`${device} refused: ${reasonOf(error)}`)
    }
  }
  return { engine: cpu, report: reportOf('cpu', batch, ranking, refused) }
}

/** A device's time for a batch, or the reason for refusing the device. */
async function judge(expected: Measured, probe: () => Promise<Measured>): Promise<number | string> {
  try {
    const { output, ms } = await probe()
    const difference = relativeDifference(output, expected.output)
    if (difference <= TOLERANCE) return ms
    return differs(difference)
  } catch (error) {
    return reasonOf(error)
  }
}

const differs = (difference: number): string =>
  `its numbers differ from the CPU's by ${difference.toPrecision(2)} of the largest`

async function probeHere(
  device: Device,
  sample: Uint8Array,
  { open, batch }: Pick<DeviceOptions, 'open' | 'batch'>,
): Promise<Measured> {
  const engine = await open(device)
  try {
    return await measure(engine, sample, batch)
  } finally {
    await engine.close()
  }
}

function reportOf(
  chosen: Device,
  batch: number,
  ranking: readonly Candidate[],
  refused: readonly string[],
): string {
  const times = ranking.map(({ device, ms }) => `${device} ${ms.toPrecision(3)} ms`)
  return [`${chosen}, measured with a batch of ${batch}: ${times.join(', ')}`, ...refused].join('; ')
}

/** Only the first line, since native libraries append their call stacks. */
function reasonOf(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}

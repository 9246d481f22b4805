import { PipelineError } from '../../errors.ts'
import type { Device, Engine } from '../engine.ts'
import { type Measured, measure } from './measure.ts'

export interface DeviceOptions<Its extends Engine = Engine> {
  readonly wanted: 'auto' | Device
  readonly open: (device: Device) => Promise<Its>
  /** The devices to try; the CPU is always one. */
  readonly available: readonly Device[]
  /** `batch` images, in the form of the engine's input. */
  readonly sample: Uint8Array
  readonly batch: number
  /** Measures a device that may crash or never answer; by default in this process. */
  readonly probe?: (device: Device) => Promise<Measured>
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

/** Opens the model on the wanted device; with `auto`, on the fastest device that gives the CPU's numbers. */
export async function chooseDevice<Its extends Engine>(
  options: DeviceOptions<Its>,
): Promise<DeviceChoice<Its>> {
  const { wanted, open, available } = options
  if (wanted !== 'auto') return { engine: await openWanted(wanted, open), report: `${wanted}, as asked for` }
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

async function openWanted<Its extends Engine>(
  device: Device,
  open: DeviceOptions<Its>['open'],
): Promise<Its> {
  try {
    return await open(device)
  } catch (cause) {
    if (cause instanceof PipelineError && (device === 'cpu' || cause.code !== 'ERR_ENGINE')) throw cause
    throw new PipelineError(
      'ERR_ENGINE',
      `The device ${device} cannot be used: ${reasonOf(cause)}${HINTS[device]}`,
      { cause },
    )
  }
}

const HINTS: Readonly<Record<Device, string>> = {
  cpu: '',
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
  const { open, sample, batch } = options
  const probe = options.probe ?? ((device: Device) => probeHere(device, options))
  const expected = await measure(cpu, sample, batch)
  const refused: string[] = []
  const candidates: Candidate[] = []
  for (const device of others) {
    const verdict = await judge(device, expected, probe)
    if (typeof verdict === 'string') refused.push(`${device} refused: ${verdict}`)
    else candidates.push(verdict)
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

/** The device with its time for a batch, or the reason for refusing the device. */
async function judge(
  device: Device,
  expected: Measured,
  probe: (device: Device) => Promise<Measured>,
): Promise<Candidate | string> {
  try {
    const { output, ms } = await probe(device)
    const difference = relativeDifference(output, expected.output)
    if (difference <= TOLERANCE) return { device, ms }
    return `its numbers differ from the CPU's by ${difference.toPrecision(2)} of the largest`
  } catch (error) {
    return reasonOf(error)
  }
}

/** NaN, which is never within the tolerance, when a number is missing or NaN. */
function relativeDifference(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length) return Number.NaN
  let [largest, difference] = [0, 0]
  for (const [i, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(value))
    difference = Math.max(difference, Math.abs(value - (found[i] ?? Number.NaN)))
  }
  return difference === 0 ? 0 : difference / largest
}

async function probeHere(device: Device, { open, sample, batch }: DeviceOptions): Promise<Measured> {
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

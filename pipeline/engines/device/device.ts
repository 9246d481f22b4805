import { PipelineError } from '../../errors.ts'
import type { Device, Engine } from '../engine.ts'
import { type Measured, measure } from './measure.ts'

export interface DeviceOptions<Its extends Engine = Engine> {
  readonly wanted: 'auto' | Device
  readonly open: (device: Device) => Promise<Its>
  /** The devices that are worth a try; the CPU is always one. */
  readonly available: readonly Device[]
  /** `batch` images, as the engine takes them. */
  readonly sample: Uint8Array
  readonly batch: number
  /** Measures a device that may crash or never answer; by default right here, in this process. */
  readonly probe?: (device: Device) => Promise<Measured>
}

export interface DeviceChoice<Its extends Engine = Engine> {
  readonly engine: Its
  /** Which device, and why, in one sentence. */
  readonly report: string
}

/**
 * How far a device may be from the CPU, as a part of the CPU's largest number. Another order of adding makes 1e-5 or
 * less of it, the shortened floats of NVIDIA's convolutions some 1e-4; a wrong shader is off by more than 1e-1.
 */
const TOLERANCE = 1e-3

/** Opens the model on the device that is wanted; with `auto` on the fastest that gives the CPU's numbers. */
export async function chooseDevice<Its extends Engine>(
  options: DeviceOptions<Its>,
): Promise<DeviceChoice<Its>> {
  const { wanted, open, available } = options
  if (wanted !== 'auto') return { engine: await openWanted(wanted, open), report: `${wanted}, as asked for` }
  const others = available.filter((device) => device !== 'cpu')
  const engine = await open('cpu')
  // Nothing to compare with: no time is lost with measuring.
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
      `The device ${device} cannot be had: ${reasonOf(cause)}${HINTS[device]}`,
      { cause },
    )
  }
}

const HINTS: Readonly<Record<Device, string>> = {
  cpu: '',
  webgpu: ' (it needs a GPU with a driver for Vulkan, Metal or Direct3D 12)',
  cuda: ' (under Linux its libraries are added with: npm rebuild onnxruntime-node --ignore-scripts=false)',
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
  // A tie goes to the CPU: it takes no memory that is not there anyway.
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

/** What a device takes for a batch, or why it is out of the question. */
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

/** NaN, which is not below any tolerance, when something is no number or missing. */
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

/** The first line: native libraries add their call stacks. */
function reasonOf(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}

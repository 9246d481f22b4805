import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

export interface Cpu {
  /** As Node names it: x64, arm64. */
  readonly arch: string
  /** The flags of /proc/cpuinfo; undefined where the system does not list them. */
  readonly flags: readonly string[] | undefined
  readonly model: string
}

/**
 * What of the CPU shapes the graphs that ONNX Runtime saves, in the form of a file name: the width of vectors decides the
 * layout of convolutions, and the instructions for bytes decide the layout of int8 weights.
 */
export function cpuSignature({ arch, flags, model }: Cpu = thisCpu()): string {
  if (flags === undefined || flags.length === 0) return `${arch}-${digest(model)}`
  const has = (...names: string[]) => names.every((name) => flags.includes(name))
  if (arch === 'x64') {
    const bytes = has('avx512_vnni') || has('avx_vnni') ? '-vnni' : ''
    return `x64-${vectors(has)}${bytes}`
  }
  const known = ARM.filter((flag) => has(flag))
  return [arch, ...known].join('-')
}

const ARM: readonly string[] = ['asimd', 'asimddp', 'i8mm', 'bf16', 'sve', 'sme']

function vectors(has: (...names: string[]) => boolean): string {
  if (has('avx512f', 'avx512bw', 'avx512dq', 'avx512vl')) return 'avx512'
  if (has('avx512f')) return 'avx512f'
  if (has('avx2', 'fma')) return 'avx2'
  return has('avx') ? 'avx' : 'sse'
}

function thisCpu(): Cpu {
  return { arch: process.arch, flags: listedFlags(), model: cpus()[0]?.model ?? '' }
}

/** Linux alone lists them in a file. */
function listedFlags(): string[] | undefined {
  try {
    const [, flags] = /^(?:flags|Features)\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1')) ?? []
    return flags?.split(/\s+/)
  } catch {
    return undefined
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

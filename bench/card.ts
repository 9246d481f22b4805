import { execFileSync } from 'node:child_process'

export interface Card {
  readonly name: string
  readonly driver: string
  /** MiB in use by all processes. */
  readonly usedMib: number
}

/** The NVIDIA cards of this machine. Undefined where there are none, or no program that tells of them. */
export function cards(): readonly Card[] | undefined {
  try {
    const options = ['--query-gpu=name,driver_version,memory.used', '--format=csv,noheader,nounits']
    const text = execFileSync('nvidia-smi', options, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return text
      .trim()
      .split('\n')
      .map((line) => {
        const [name = '', driver = '', used = ''] = line.split(',').map((part) => part.trim())
        return { name, driver, usedMib: Number(used) }
      })
  } catch {
    return undefined
  }
}

/** MiB of all cards in use, NaN where that is not told. */
export function cardMemory(): number {
  return cards()?.reduce((sum, { usedMib }) => sum + usedMib, 0) ?? Number.NaN
}

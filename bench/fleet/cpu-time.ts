import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts the CPU time of a process in hundredths of a second. */
const TICKS_PER_SECOND = 100

/** CPU seconds of these processes and of all processes below them. NaN where there is no /proc. */
export function cpuSeconds(pids: readonly (number | undefined)[]): number {
  try {
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    const processes = new Map(all.flatMap((pid) => statOf(Number(pid)) ?? []).map((stat) => [stat.pid, stat]))
    const isBelow = (pid: number): boolean =>
      pids.includes(pid) || (pid > 1 && isBelow(processes.get(pid)?.parent ?? 0))
    const own = [...processes.values()].filter(({ pid }) => isBelow(pid))
    return own.reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_PER_SECOND
  } catch {
    return Number.NaN
  }
}

function statOf(pid: number): { pid: number; parent: number; ticks: number } | undefined {
  try {
    // The name of the program, in brackets, may have spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { pid, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }
  } catch {
    return undefined
  }
}

/** Seconds that the main thread of a process was ready to run and waited for a core. NaN where there is no /proc. */
export function waitedSeconds(pid: number): number {
  try {
    const [, waited = ''] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')
    return Number(waited) / 1e9
  } catch {
    return Number.NaN
  }
}

import { readdir, readFile } from 'node:fs/promises'

/** What the kernel tells of a process. */
export interface ProcessFigures {
  readonly residentBytes: number
  /** Memory that belongs to this process alone: without files that are mapped, such as weights. */
  readonly privateBytes: number
  readonly descriptors: number
}

/** undefined where the process has ended, or the system has no /proc */
export async function processFigures(pid: number): Promise<ProcessFigures | undefined> {
  try {
    const [status, descriptors] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'latin1'),
      readdir(`/proc/${pid}/fd`),
    ])
    const bytes = (field: string) =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
    const residentBytes = bytes('VmRSS')
    // A process that has just ended has no memory left to tell of.
    if (Number.isNaN(residentBytes)) return undefined
    return { residentBytes, privateBytes: bytes('RssAnon'), descriptors: descriptors.length }
  } catch {
    return undefined
  }
}

import fs from 'node:fs'

/** The kernel's own peak of this process' memory. `maxRSS` includes the parent's memory at the time of the fork. */
export function peakBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
  return Number(/^VmHWM:\s+(\d+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
}

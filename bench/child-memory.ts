import { readFileSync } from 'node:fs'
import type { BenchService } from './http.ts'

export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
}

/** A figure of the kernel for the first child, in KiB. */
export function childMemory(service: BenchService, field: 'RssAnon' | 'VmHWM'): number {
  const [pid] = childrenOf(service.pid)
  return kernelFigure(readFileSync(`/proc/${pid}/status`, 'utf8'), field)
}

export function kernelFigure(text: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1])
}

export function mib(kib: number): string {
  return `${Math.round(kib / 1024)} MB`
}

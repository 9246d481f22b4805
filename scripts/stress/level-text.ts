import { countText } from '../shared/figure-text.ts'
import type { Level } from './arguments.ts'

export function levelText(level: Level): string {
  if (level.kind === 'open') return `${level.rate} arrivals/s`
  return level.users === 1 ? '1 user' : `${countText(level.users)} users`
}

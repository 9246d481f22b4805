import type { Tally } from './questions.ts'

export interface Faults {
  readonly asked: number
  readonly lost: number
  /** computed more often than asked */
  readonly doubled: number
  readonly wrong: number
}

/** `computed`: how many calls the hosts have answered; unknown after a kill, which takes the count with it. */
export function faultsOf({ asked, right, wrong }: Tally, computed = right + wrong): Faults {
  return { asked, lost: asked - right - wrong, doubled: Math.max(0, computed - right - wrong), wrong }
}

export function sumOf(faults: readonly Faults[]): Faults {
  const sum = (name: keyof Faults) => faults.reduce((total, one) => total + one[name], 0)
  return { asked: sum('asked'), lost: sum('lost'), doubled: sum('doubled'), wrong: sum('wrong') }
}

export function hasFaults({ lost, doubled, wrong }: Faults): boolean {
  return lost + doubled + wrong > 0
}

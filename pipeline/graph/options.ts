import type { Layer } from '../models/networks/layer-list.ts'
import type { Option } from './kind.ts'
import {
  type Borders,
  badField,
  borders as bordersOf,
  decimal as decimalOf,
  flag as flagOf,
  isWhole,
  notSupported,
  pair as pairOf,
  quote,
  wholeNumber,
  wholeNumbers,
} from './layer-config.ts'

/* The forms that options have. Each function makes a reader of one option, and may give the option a default. */

export const whole =
  (least: number, fallback?: number): Option<number> =>
  (layer, field) =>
    wholeNumber(layer, field, least, fallback)

export const wholes =
  (least: number): Option<number[]> =>
  (layer, field) =>
    wholeNumbers(layer, field, least)

export const pair =
  (least: number, fallback?: number): Option<[number, number]> =>
  (layer, field) =>
    pairOf(layer, field, least, fallback)

export const decimal =
  (fallback?: number): Option<number> =>
  (layer, field) =>
    decimalOf(layer, field, fallback)

export const flag =
  (fallback: boolean): Option<boolean> =>
  (layer, field) =>
    flagOf(layer, field, fallback)

export const borders: Option<Borders> = bordersOf

/** An option that may be missing. */
export const optional =
  <T>(read: Option<T>): Option<T | undefined> =>
  (layer, field) =>
    layer.config[field] == null ? undefined : read(layer, field)

/** One of some words; the first is the default. */
export const word =
  <T extends string>(...words: readonly [T, ...T[]]): Option<T> =>
  (layer, field) => {
    const value = layer.config[field] ?? words[0]
    const found = words.find((one) => one === value)
    if (found !== undefined) return found
    throw badField(layer, field, words.map((one) => `'${one}'`).join(' or '), value)
  }

/** One or two numbers, or whatever else a list has, as a list. */
export const numbers =
  (fallback?: number): Option<number | number[]> =>
  (layer, field) => {
    const value = layer.config[field] ?? fallback
    if (isFiniteNumber(value)) return value
    if (Array.isArray(value) && value.length > 0) {
      const flat: unknown[] = value.flat(8)
      if (flat.every(isFiniteNumber)) return flat
    }
    throw badField(layer, field, 'a number or a list of numbers', value)
  }

/** One integer, or a list of integers, such as axes; undefined if there is none. */
export const integers: Option<number[] | undefined> = (layer, field) => {
  const value = layer.config[field]
  if (value == null) return undefined
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length <= MAX_LIST && list.every(isInteger)) return list
  throw badField(layer, field, 'an integer or a list of integers', value)
}

export const integer =
  (fallback?: number): Option<number> =>
  (layer, field) => {
    const value = layer.config[field] ?? fallback
    if (isInteger(value)) return value
    throw badField(layer, field, 'an integer', value)
  }

export const text =
  (fallback?: string): Option<string> =>
  (layer, field) => {
    const value = layer.config[field] ?? fallback
    if (typeof value === 'string' && value.length <= MAX_TEXT) return value
    throw badField(layer, field, 'a text', value)
  }

/** An option that Tandem has in one form only: any other value is refused with a reason. */
export const only =
  (accepted: unknown, why: string): Option<unknown> =>
  (layer, field) => {
    const value = layer.config[field] ?? accepted
    if (JSON.stringify(value) === JSON.stringify(accepted)) return accepted
    throw notSupported(layer, `${field} is ${quote(value)}; ${why}`)
  }

/** An option that matters in training only. */
export const unused: Option<undefined> = () => undefined

/** Anything, for options that a class checks by itself. */
export const anything: Option<unknown> = (layer, field) => layer.config[field]

export function isInner(value: unknown): value is Pick<Layer, 'className' | 'config'> {
  return typeof value === 'object' && value !== null && 'className' in value && 'config' in value
}

/** A layer inside the layer. */
export const innerLayer: Option<Layer> = (layer, field) => {
  const value = layer.config[field]
  if (!isInner(value)) throw badField(layer, field, 'a layer', value)
  return { name: layer.name, className: value.className, config: value.config, inputs: [] }
}

const MAX_LIST = 10_000
const MAX_TEXT = 200

const isFiniteNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value)

const isInteger = (value: unknown): value is number => isWhole(value, Number.MIN_SAFE_INTEGER)

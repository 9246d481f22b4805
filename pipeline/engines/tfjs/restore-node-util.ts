import { createRequire } from 'node:module'

type Predicate = (value: unknown) => boolean

/**
 * tfjs-node calls two functions of node:util that Node 23 removed. Where they are absent, this puts them back on the
 * object that `require('util')` in tfjs-node returns.
 */
export function restoreNodeUtil(
  util: { isNullOrUndefined?: Predicate; isArray?: Predicate } = createRequire(import.meta.url)('node:util'),
): void {
  util.isNullOrUndefined ??= (value) => value === null || value === undefined
  util.isArray ??= Array.isArray
}

import { createRequire } from 'node:module'

type Predicate = (value: unknown) => boolean

/**
 * tfjs-node calls two functions of node:util that Node removed with version 23. They are put back, where they are
 * absent, on the object that its `require('util')` gets.
 */
export function restoreNodeUtil(
  util: { isNullOrUndefined?: Predicate; isArray?: Predicate } = createRequire(import.meta.url)('node:util'),
): void {
  util.isNullOrUndefined ??= (value) => value === null || value === undefined
  util.isArray ??= Array.isArray
}

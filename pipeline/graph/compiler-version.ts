/** Raise this with every change of the compiler's output: models compiled by another version are compiled again. */
export const COMPILER_VERSION = 1

/** Raised by whoever changes what comes out of the compiler: models compiled by another version are compiled anew. */
export const COMPILER_VERSION = 1

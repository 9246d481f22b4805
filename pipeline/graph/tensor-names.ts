export const INPUT_NAME = 'input'
/** Of the served output. */
export const OUTPUT_NAME = 'output'

/** The name of another output: the number at the beginning of all other names keeps the name free. */
export const otherName = (layer: string): string => `${OUTPUT_NAME}:${layer}`

/** The layer of another output. */
export const layerOfOther = (name: string): string => name.slice(OUTPUT_NAME.length + 1)

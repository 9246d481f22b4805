/** One guess. `label` is the first synonym, with spaces; `name` is Keras' name of the class, with underscores. */
export interface Prediction {
  index: number
  label: string
  name: string
  full: string
  wnid?: string
  probability: number
}

/** The colour that transparent pixels are laid on. */
export type Backdrop = 'white' | 'black'

/** How much canvas lies around a picture, and the colour of that canvas. */
export interface Margin {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly background: { readonly r: number; readonly g: number; readonly b: number }
}

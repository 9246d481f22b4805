/** Along one axis: scale `source` pixels to `scaled` pixels, then cut out `size` of them from `start` on. */
export interface AxisPlacement {
  readonly source: number
  readonly scaled: number
  readonly start: number
  readonly size: number
}

export interface Placement {
  readonly x: AxisPlacement
  readonly y: AxisPlacement
}

export interface Frame {
  readonly width: number
  readonly height: number
}

export function stretched(image: Frame, target: Frame): Placement {
  return {
    x: { source: image.width, scaled: target.width, start: 0, size: target.width },
    y: { source: image.height, scaled: target.height, start: 0, size: target.height },
  }
}

/**
 * Scales the image to cover `ratio` times the target, keeps its shape, and cuts out the middle. As in torchvision, the
 * longer side is rounded down, and the start of the middle is rounded half to even.
 */
export function centered(image: Frame, target: Frame, ratio: number): Placement {
  const width = Math.round(target.width * ratio)
  const height = Math.round(target.height * ratio)
  const wide = image.width * height >= image.height * width
  const scaledWidth = wide ? Math.trunc((height * image.width) / image.height) : width
  const scaledHeight = wide ? height : Math.trunc((width * image.height) / image.width)
  return {
    x: middle(image.width, Math.max(scaledWidth, target.width), target.width),
    y: middle(image.height, Math.max(scaledHeight, target.height), target.height),
  }
}

/** The same as Teachable Machine draws on a canvas: the longer side is rounded up, and the start of the middle down. */
export function onCanvas(image: Frame, target: Frame): Placement {
  // The order of these operations decides how the doubles are rounded, and so which pixels are cut off.
  const scale = Math.max(target.width / image.width, target.height / image.height)
  const axis = (source: number, size: number): AxisPlacement => {
    const scaled = Math.ceil(source * scale)
    return { source, scaled, start: Math.trunc((scaled - size) / 2), size }
  }
  return { x: axis(image.width, target.width), y: axis(image.height, target.height) }
}

function middle(source: number, scaled: number, size: number): AxisPlacement {
  const gap = (scaled - size) / 2
  const start = gap % 2 === 0.5 ? gap - 0.5 : Math.round(gap)
  return { source, scaled, start, size }
}

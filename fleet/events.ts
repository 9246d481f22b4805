export interface FleetEvents {
  up: []
  down: [Error]
  unreachable: [Error]
  blocked: [string]
  unblocked: []
  /** A queue exists with other arguments than this host would give it, and is used as it is. */
  differs: [string]
}

/** The words for model hosts on /status. Server and browser import this module. */

/**
 * @typedef {object} Host
 * @property {string} name
 * @property {string} state
 * @property {string | null} version
 * @property {string | null} device
 * @property {number} children
 * @property {number} inFlight
 * @property {number} rate
 * @property {number} ageMs
 *
 * @typedef {object} Fleet
 * @property {boolean} connected
 * @property {string | null} blocked
 * @property {number | null} waiting
 * @property {number} oldestMs
 * @property {number} reconnects
 * @property {readonly Host[]} hosts
 */

/** @type {readonly string[]} */
export const HOST_COLUMNS = [
  'Host',
  'State',
  'Version',
  'Device',
  'Children',
  'Calls',
  'Per second',
  'Last word',
]

/**
 * One row of the table of model hosts.
 * @param {Host} host
 * @returns {readonly string[]}
 */
export function hostCells({ name, state, version, device, children, inFlight, rate, ageMs }) {
  const age = `${(ageMs / 1000).toFixed(1)} s ago`
  return [
    name,
    state,
    version ?? '–',
    device ?? '–',
    String(children),
    String(inFlight),
    rate.toFixed(1),
    age,
  ]
}

/**
 * The line above the table.
 * @param {Fleet} fleet
 */
export function fleetLine({ connected, blocked, waiting, oldestMs, reconnects }) {
  if (!connected) return 'The connection to RabbitMQ is lost. The service goes on trying.'
  if (blocked !== null) return `RabbitMQ accepts no calls at the moment: ${blocked}.`
  const queue = waiting === null ? 'connected to RabbitMQ' : `${waiting} in the queue of RabbitMQ`
  const oldest = oldestMs > 0 ? `oldest call ${(oldestMs / 1000).toFixed(1)} s` : 'no call pending'
  return [queue, oldest, `${reconnects} reconnects`].join(' · ')
}

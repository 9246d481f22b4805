/** Variables that a process needs to find files and programs, without any settings of the developer. */
export const PLACES = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  TMPDIR: process.env.TMPDIR,
  // A spare would double the work of each start: only the tests of spares have one.
  SPARE_CHILDREN: '0',
  // Tuning takes the machine from the tests beside it: only the tests of tuning tune.
  TUNING_MS: '0',
}

/** What a process needs of the environment to find things, and no setting of the tester's. */
export const PLACES = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  TMPDIR: process.env.TMPDIR,
}

// Mocha's "spec" report, with a last line that a CI system can parse.
const { reporters } = require('mocha')

class PlainSummary extends reporters.Spec {
  epilogue() {
    super.epilogue()
    const { passes = 0, failures = 0, pending = 0 } = this.stats
    reporters.Base.consoleLog('%d passed, %d failed, %d skipped', passes, failures, pending)
  }
}

module.exports = PlainSummary

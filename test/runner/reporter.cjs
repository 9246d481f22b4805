// Mocha's own "spec" report, and then one line with the counts, which a CI system can parse.
const { reporters } = require('mocha')

class PlainSummary extends reporters.Spec {
  epilogue() {
    super.epilogue()
    const { passes = 0, failures = 0, pending = 0 } = this.stats
    reporters.Base.consoleLog('%d passed, %d failed, %d skipped', passes, failures, pending)
  }
}

module.exports = PlainSummary

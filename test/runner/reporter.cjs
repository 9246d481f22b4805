// Mocha's own "spec" report, closed by one plain line that a CI system can read in any language.
const { reporters } = require('mocha')

class PlainSummary extends reporters.Spec {
  epilogue() {
    super.epilogue()
    const { passes = 0, failures = 0, pending = 0 } = this.stats
    reporters.Base.consoleLog('%d passed, %d failed, %d skipped', passes, failures, pending)
  }
}

module.exports = PlainSummary

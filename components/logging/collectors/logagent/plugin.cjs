// @ts-check
"use strict";

/** Logs to stderr, since records may go to stdout. @param {string} message */
function tell(message) {
  process.stderr.write(`${new Date().toISOString()} ${message}\n`);
}

/**
 * Ends the program: Logagent itself would continue without the failed plugin.
 * @param {unknown} error
 */
function fail(error) {
  tell(`stopped by an error: ${error instanceof Error ? error.stack : error}`);
  process.exit(1);
}

/** @param {object} config @param {readonly string[]} options @throws {Error} for unknown options. */
function isKnown(config, options) {
  const unknown = Object.keys(config).filter((name) => !options.includes(name));
  if (unknown.length > 0) throw new Error(`unknown options: ${unknown.join(", ")}`);
}

module.exports = { fail, isKnown, tell };

import { enableCompileCache } from "node:module";

// As the command line does; what is counted would be less exact with it.
if (process.env.NODE_V8_COVERAGE === undefined) enableCompileCache();

/**
 * Coverage of the processes that run the tests, and not of the programs that tests start: to write and merge that too would take a
 * sixth more of the suite's time. Mocha hands its variables on to the processes that it runs tests in, so only these drop it.
 */
if (process.env.MOCHA_WORKER_ID !== undefined) {
  delete process.env.NODE_V8_COVERAGE;
  // It is written at the very end, and Mocha waits a second for that: on a busy machine it would be cut off and its lines not counted.
  process.on("SIGTERM", () => {});
}

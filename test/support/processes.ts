import { enableCompileCache } from "node:module";

// As the command line does; what is counted would be less exact with it.
if (process.env.NODE_V8_COVERAGE === undefined) enableCompileCache();

const isWorker = process.env.MOCHA_WORKER_ID !== undefined;

/**
 * Coverage of the processes that run the tests, and not of the programs that tests start: to write and merge that too would take a
 * sixth more of the suite's time. Mocha hands its variables on to the processes that it runs tests in, so only these drop it.
 */
if (isWorker || !process.argv.includes("--parallel")) delete process.env.NODE_V8_COVERAGE;

// Coverage is written at the very end, and Mocha waits a second for that: on a busy machine it would be cut off and its lines not counted.
if (isWorker) process.on("SIGTERM", () => {});

import ora from "ora";
import type { Row } from "./check.ts";

/** What is shown on stderr while the rows run: nothing where nobody watches. */
export interface Progress {
  row(row: Row, done: number, all: number): void;
  stop(): void;
}

export function progress(): Progress {
  // A terminal that says it has no columns makes ora clear lines without end.
  if (!process.stderr.isTTY || !(process.stderr.columns > 0)) return { row: () => {}, stop: () => {} };
  const spinner = ora({ text: "asking the cluster", stream: process.stderr }).start();
  let failed = 0;
  return {
    row(row, done, all) {
      if (row.status === "fail") failed += 1;
      spinner.text = `${done} of ${all} rows${failed > 0 ? `, ${failed} failed` : ""}, ${row.id}`;
    },
    stop: () => spinner.stop(),
  };
}

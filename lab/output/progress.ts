import ora from "ora";

/** One line on stderr that shows what is running. */
export interface Progress {
  /** Replaces the text of the line. */
  update(text: string): void;
  /** Removes the line. */
  stop(): void;
}

/** Starts a spinner with a text. Prints nothing where stderr is not a terminal. */
export function progress(text: string): Progress {
  // ora clears lines without end on a terminal that reports no columns.
  if (!process.stderr.isTTY || !(process.stderr.columns > 0)) return { update: () => {}, stop: () => {} };
  const spinner = ora({ text, stream: process.stderr }).start();
  return {
    update(next) {
      spinner.text = next;
    },
    stop: () => spinner.stop(),
  };
}

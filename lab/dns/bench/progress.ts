import ora from "ora";

/** What is shown on stderr while it measures: nothing where nobody watches. */
export function progress(): { readonly step: (what: string) => void; readonly stop: () => void } {
  // A terminal that says it has no columns makes ora clear lines without end.
  if (!process.stderr.isTTY || !(process.stderr.columns > 0)) return { step: () => {}, stop: () => {} };
  const spinner = ora({ text: "measuring", stream: process.stderr }).start();
  return {
    step(what) {
      spinner.text = `measuring ${what}`;
    },
    stop: () => spinner.stop(),
  };
}

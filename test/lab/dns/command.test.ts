import assert from "node:assert/strict";
import { Command, CommanderError } from "commander";
import { LIMITS } from "../../../lab/dns/bench/bench.ts";
import { registerDns } from "../../../lab/dns/command.ts";

/** What the command line says of arguments that it does not take. */
async function refused(...args: readonly string[]): Promise<string> {
  const said: string[] = [];
  const program = new Command("lab").exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
  registerDns(program);
  // Subcommands made before do not inherit these.
  for (const command of program.commands.flatMap((dns) => [dns, ...dns.commands])) {
    command.exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
  }
  await assert.rejects(program.parseAsync(["dns", ...args], { from: "user" }), (error: unknown) => {
    if (!(error instanceof CommanderError)) said.push(String(error));
    return true;
  });
  return said.join("");
}

describe("the command line of lab dns", () => {
  it("holds rate and time to the limits", async () => {
    const { perSecond, seconds } = LIMITS;
    assert.match(
      await refused("bench", "--rate", String(perSecond + 1)),
      new RegExp(`whole number from 1 to ${perSecond}`),
    );
    assert.match(
      await refused("bench", "--seconds", String(seconds + 1)),
      new RegExp(`whole number from 1 to ${seconds}`),
    );
    assert.match(await refused("bench", "--rate", "ten"), /whole number/);
    assert.match(await refused("explain", "a", "--ndots", "16"), /whole number from 0 to 15/);
  });

  it("says that a kubeconfig is missing, in one line", async () => {
    assert.match(
      await refused("explain", "a", "--kubeconfig", "no/such/file"),
      /^Failure: there is no kubeconfig at no\/such\/file: .*$/,
    );
  });

  it("fetches schemas only when told to", async () => {
    assert.match(await refused("schema", "--version", "v1.13.2-eksbuild.31"), /add --update$/);
  });

  it("shows no profile of a stack that is not there", async () => {
    assert.match(await refused("profile", "--stack", "nope"), /there is no stack 'nope'/);
  });
});

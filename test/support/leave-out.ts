/**
 * Leaves a suite or a test out, with a line that says why: nobody takes it for one that passed. Only for what npm cannot install:
 * programs such as CoreDNS and the collectors, a cluster's node, the rights of root.
 */
export function leaveOut(context: Mocha.Context, why: string): void {
  process.stdout.write(`      left out: ${why}\n`);
  // The README's test command has to end well on a machine that has no such program. Mocha counts what is skipped as pending, apart from
  // what passed; a test that returned here instead would be counted as passed, and one that failed would ask for what npm cannot bring.
  context.skip();
}

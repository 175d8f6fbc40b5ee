/** What the person can mend: printed as one line, without a stack trace. */
export class Failure extends Error {
  /** Exit code of the command: 1 where what was asked for failed, 2 where it could not be tried. */
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = "Failure";
    this.exitCode = exitCode;
  }
}

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import positions from "../../../../../components/logging/collectors/logagent/buffer.cjs";
import files from "../../../../../components/logging/collectors/logagent/files.cjs";
import lines from "../../../../../components/logging/collectors/logagent/lines.cjs";

/** A folder with the files of one log, for a test. */
export class LogFolder {
  readonly path = mkdtempSync(join(tmpdir(), "follow-"));
  /** The file that is written to. */
  readonly current = join(this.path, "0.log");
  /** What Logagent reported. */
  readonly told: string[] = [];

  /** A process that follows: what it gives, and its places as they stand on the disk. */
  follower(noted = true) {
    const places = positions.openPositions(join(this.path, "state"));
    const given: string[] = [];
    const joiner = lines.createJoiner(lines.parsePlain, undefined, ({ first }, marks) => {
      given.push(first);
      if (noted) places.move(marks);
    });
    const log = files.followLog(places, joiner, (message) => this.told.push(message));
    const see = (...paths: string[]) =>
      log.see(
        paths.map((path) => {
          const { dev, ino, size } = statSync(path);
          return { key: `${dev}:${ino}`, path, size, rotated: path !== this.current };
        }),
      );
    const readAll = () => {
      while (log.read() > 0);
      return given;
    };
    return { log, given, see, readAll, save: () => places.save() };
  }

  remove() {
    rmSync(this.path, { recursive: true });
  }
}

import assert from "node:assert/strict";
import fs, {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import positions from "../../../../../components/logging/collectors/logagent/buffer.cjs";
import files from "../../../../../components/logging/collectors/logagent/files.cjs";
import lines from "../../../../../components/logging/collectors/logagent/lines.cjs";
import { Clock } from "./clock.ts";

const clock = new Clock();

describe("A log that Logagent follows", () => {
  let folder = "";
  let current = "";
  let told: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "follow-"));
    current = join(folder, "0.log");
    told = [];
  });
  afterEach(() => {
    clock.restore();
    rmSync(folder, { recursive: true });
  });

  /** A process that follows: what it gives, and its places as they stand on the disk. */
  function follower(noted = true) {
    const places = positions.openPositions(join(folder, "state"));
    const given: string[] = [];
    const joiner = lines.createJoiner(lines.parsePlain, undefined, ({ first }, marks) => {
      given.push(first);
      if (noted) places.move(marks);
    });
    const log = files.followLog(places, joiner, (message) => told.push(message));
    const see = (...paths: string[]) =>
      log.see(
        paths.map((path) => {
          const { dev, ino, size } = statSync(path);
          return { key: `${dev}:${ino}`, path, size, rotated: path !== current };
        }),
      );
    const readAll = () => {
      while (log.read() > 0);
      return given;
    };
    return { log, given, see, readAll, save: () => places.save() };
  }

  /** Reads while the files that were rotated away end. */
  function readOn(readAll: () => unknown) {
    for (let wait = 0; wait < 3; wait += 1) {
      clock.forward(1010);
      readAll();
    }
  }

  it("is read from its beginning, each line once it is complete", () => {
    writeFileSync(current, "a\nb\nhal");
    const { see, readAll } = follower();
    see(current);
    assert.deepEqual(readAll(), ["a", "b"]);
    appendFileSync(current, "f\nünd\n");
    assert.deepEqual(readAll(), ["a", "b", "half", "ünd"]);
  });

  it("continues at the stored position after a stop", () => {
    writeFileSync(current, "a\nb\n");
    const before = follower();
    before.see(current);
    before.readAll();
    before.save();
    before.log.close();
    appendFileSync(current, "c\n");
    const after = follower();
    after.see(current);
    assert.deepEqual(after.readAll(), ["c"]);
  });

  it("is read although it has the inode of a deleted file that was read", () => {
    writeFileSync(current, "a\n");
    const { see, readAll } = follower();
    see(current);
    readAll();
    const [one, other] = [1, 2].map((at) => `${current}.20260101-00000${at}`) as [string, string];
    renameSync(current, one);
    writeFileSync(current, "b\n");
    see(one, current);
    readAll();
    clock.forward(1010);
    readAll();
    assert.deepEqual(readAll(), ["a", "b"]);
    renameSync(current, other);
    // As file systems do at once: what was deleted gives its inode to the next file.
    writeFileSync(one, "c\n");
    renameSync(one, current);
    see(other, current);
    readAll();
    clock.forward(1010);
    readAll();
    assert.deepEqual(readAll(), ["a", "b", "c"]);
  });

  it("is read although it begins as the deleted file whose inode it has", () => {
    const banner = "=".repeat(1200);
    writeFileSync(current, `${banner}\n`);
    const { see, readAll } = follower();
    see(current);
    readAll();
    appendFileSync(current, "a\n");
    readAll();
    const rotated = `${current}.20260101-000001`;
    renameSync(current, rotated);
    writeFileSync(current, "b\n");
    see(rotated, current);
    readAll();
    clock.forward(1010);
    assert.deepEqual(readAll(), [banner, "a"]);
    // What was deleted gives its inode to the next file.
    writeFileSync(rotated, `${banner}\nc\nd\n`);
    see(rotated, current);
    readOn(readAll);
    assert.deepEqual(readAll(), [banner, "a", "b", banner, "c", "d"]);
  });

  it("is read although it has the inode of a deleted file that stayed empty", () => {
    writeFileSync(current, "");
    const { see, readAll } = follower();
    see(current);
    readAll();
    const rotated = `${current}.20260101-000001`;
    renameSync(current, rotated);
    writeFileSync(current, "a\n");
    see(rotated, current);
    readOn(readAll);
    // What was deleted gives its inode to the next file.
    writeFileSync(rotated, "b\n");
    see(rotated, current);
    readOn(readAll);
    assert.deepEqual(readAll(), ["a", "b"]);
  });

  it("continues at a position that version 1.0 stored", () => {
    writeFileSync(current, "a\nb\n");
    const { dev, ino } = statSync(current);
    mkdirSync(join(folder, "state"));
    const place = { offset: 2, head: "a\nb\n", born: 1 };
    writeFileSync(join(folder, "state", "positions.json"), JSON.stringify({ [`${dev}:${ino}`]: place }));
    const { see, readAll } = follower();
    see(current);
    assert.deepEqual(readAll(), ["b"]);
  });

  it("is read to its end though it was deleted before its turn", () => {
    const rotated = `${current}.20260101-000000`;
    writeFileSync(rotated, "a\n");
    writeFileSync(current, "b\n");
    const { see, readAll } = follower();
    see(rotated, current);
    rmSync(current);
    readAll();
    clock.forward(1010);
    readAll();
    assert.deepEqual(readAll(), ["a", "b"]);
  });

  /** Files that were rotated away, as many as are open at once. */
  function rotatedFiles(): string[] {
    const paths = [1, 2, 3, 4].map((at) => `${current}.20260101-00000${at}`);
    for (const path of paths) writeFileSync(path, "old\n");
    return paths;
  }

  const OLD = ["old", "old", "old", "old"];

  it("is opened under its new name at the next scan, if it was renamed before its turn", () => {
    const paths = rotatedFiles();
    writeFileSync(current, "a\n");
    const { see, readAll } = follower();
    see(...paths, current);
    const renamed = `${current}.20260101-000005`;
    renameSync(current, renamed);
    writeFileSync(current, "b\n");
    const readOn = () => {
      for (const _ of paths) {
        readAll();
        clock.forward(1010);
        readAll();
      }
      return readAll();
    };
    assert.deepEqual(readOn(), OLD);
    see(...paths, renamed, current);
    assert.deepEqual(readOn(), [...OLD, "a", "b"]);
    assert.deepEqual(told, []);
  });

  it("is read to its end after a rotation, and then the next", () => {
    writeFileSync(current, "a\n");
    const { see, readAll, log } = follower();
    see(current);
    readAll();
    const rotated = `${current}.20260101-000000`;
    renameSync(current, rotated);
    appendFileSync(rotated, "late\n");
    writeFileSync(current, "b\n");
    see(rotated, current);
    assert.deepEqual(readAll(), ["a", "late"]);
    // It may be written to a little longer.
    readAll();
    appendFileSync(rotated, "later\n");
    assert.deepEqual(readAll(), ["a", "late", "later"]);
    clock.forward(1010);
    assert.deepEqual(readAll(), ["a", "late", "later"]);
    assert.deepEqual(readAll(), ["a", "late", "later", "b"]);
    // It is not read again for being there.
    see(rotated, current);
    assert.deepEqual(readAll().length, 4);
    assert.equal(log.isOver(), false);
  });

  it("is not read again after a rotation even if its lines are not in the buffer yet", () => {
    writeFileSync(current, "a\n");
    const { see, readAll } = follower(false);
    see(current);
    readAll();
    const rotated = `${current}.20260101-000000`;
    renameSync(current, rotated);
    writeFileSync(current, "b\n");
    see(rotated, current);
    readAll();
    clock.forward(1010);
    readAll();
    see(rotated, current);
    const again = `${current}.20260102-000000`;
    renameSync(current, again);
    writeFileSync(current, "c\n");
    see(rotated, again, current);
    for (let wait = 0; wait < 3; wait += 1) {
      readAll();
      clock.forward(1010);
    }
    assert.deepEqual(readAll(), ["a", "b", "c"]);
  });

  it("is read again from its beginning after truncation, or for a new file with the same inode", () => {
    writeFileSync(current, "first\nsecond\n");
    const before = follower();
    before.see(current);
    before.readAll();
    truncateSync(current, 0);
    appendFileSync(current, "new\n");
    assert.deepEqual(before.readAll(), ["first", "second", "new"]);
    assert.match(told.join(), /was truncated to 4 bytes/);
    before.save();
    before.log.close();
    writeFileSync(current, "other beginning\nmore than before\n");
    const after = follower();
    after.see(current);
    assert.deepEqual(after.readAll(), ["other beginning", "more than before"]);
  });

  it("may have lines of megabytes", () => {
    const long = "x".repeat(3 * 2 ** 20);
    writeFileSync(current, `${long}\nnext\n`);
    const { see, readAll } = follower();
    see(current);
    assert.deepEqual(readAll(), [long, "next"]);
  });

  it("skips and reports a line that is too long, and reads the next", () => {
    writeFileSync(current, "before\n");
    appendFileSync(current, Buffer.alloc(17 * 2 ** 20, "x"));
    appendFileSync(current, "\nnext\n");
    const { see, readAll } = follower();
    see(current);
    assert.deepEqual(readAll(), ["before", "next"]);
    assert.match(told.join(), /a line of more than 16777216 bytes, which is skipped/);
  });

  it("returns its unterminated last line once it is deleted, and ends", () => {
    writeFileSync(current, "a\nno end");
    const { see, readAll, log } = follower();
    see(current);
    assert.deepEqual(readAll(), ["a"]);
    rmSync(current);
    log.see([]);
    readAll();
    clock.forward(1010);
    assert.deepEqual(readAll(), ["a", "no end"]);
    assert.equal(log.isOver(), true);
  });

  it("is read beside an old file without new lines", () => {
    const rotated = `${current}.20260101-000000`;
    writeFileSync(rotated, "");
    writeFileSync(current, "a\n");
    const { see, readAll } = follower();
    for (let look = 0; look < 4; look++) {
      see(rotated, current);
      readAll();
      clock.forward(1010);
    }
    assert.deepEqual(readAll(), ["a"]);
    appendFileSync(current, "b\n");
    see(rotated, current);
    assert.deepEqual(readAll(), ["a", "b"]);
  });

  it("waits while the process has too many open files", () => {
    writeFileSync(current, "a\n");
    const { see, readAll } = follower();
    const { openSync } = fs;
    fs.openSync = () => {
      throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
    };
    try {
      see(current);
      assert.deepEqual(readAll(), []);
    } finally {
      fs.openSync = openSync;
    }
    assert.match(told.join(), /0\.log cannot be opened yet: .*too many open files/);
    assert.deepEqual(readAll(), ["a"]);
  });

  it("reports a file that was deleted before it was read", () => {
    const paths = rotatedFiles();
    writeFileSync(current, "a\n");
    const { see, readAll } = follower();
    see(...paths, current);
    rmSync(current);
    for (const _ of paths) {
      readAll();
      clock.forward(1010);
      readAll();
    }
    // It may only have another name.
    assert.deepEqual([readAll(), told], [OLD, []]);
    see(...paths);
    readAll();
    assert.deepEqual(told, [`${current} was deleted before it was read`]);
  });
});

import assert from "node:assert/strict";
import fs, { appendFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Clock } from "./clock.ts";
import { LogFolder } from "./log-folder.ts";

const clock = new Clock();

describe("A log that Logagent follows", () => {
  let logs: LogFolder;
  let current = "";
  beforeEach(() => {
    logs = new LogFolder();
    current = logs.current;
  });
  afterEach(() => {
    clock.restore();
    logs.remove();
  });

  it("is read from its beginning, each line once it is complete", () => {
    writeFileSync(current, "a\nb\nhal");
    const { see, readAll } = logs.follower();
    see(current);
    assert.deepEqual(readAll(), ["a", "b"]);
    appendFileSync(current, "f\nünd\n");
    assert.deepEqual(readAll(), ["a", "b", "half", "ünd"]);
  });

  it("continues at the stored position after a stop", () => {
    writeFileSync(current, "a\nb\n");
    const before = logs.follower();
    before.see(current);
    before.readAll();
    before.save();
    before.log.close();
    appendFileSync(current, "c\n");
    const after = logs.follower();
    after.see(current);
    assert.deepEqual(after.readAll(), ["c"]);
  });

  it("is read to its end though it was deleted before its turn", () => {
    const rotated = `${current}.20260101-000000`;
    writeFileSync(rotated, "a\n");
    writeFileSync(current, "b\n");
    const { see, readAll } = logs.follower();
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
    const { see, readAll } = logs.follower();
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
    assert.deepEqual(logs.told, []);
  });

  it("is read to its end after a rotation, and then the next", () => {
    writeFileSync(current, "a\n");
    const { see, readAll, log } = logs.follower();
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
    const { see, readAll } = logs.follower(false);
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

  it("may have lines of megabytes", () => {
    const long = "x".repeat(3 * 2 ** 20);
    writeFileSync(current, `${long}\nnext\n`);
    const { see, readAll } = logs.follower();
    see(current);
    assert.deepEqual(readAll(), [long, "next"]);
  });

  it("skips and reports a line that is too long, and reads the next", () => {
    writeFileSync(current, "before\n");
    appendFileSync(current, Buffer.alloc(17 * 2 ** 20, "x"));
    appendFileSync(current, "\nnext\n");
    const { see, readAll } = logs.follower();
    see(current);
    assert.deepEqual(readAll(), ["before", "next"]);
    assert.match(logs.told.join(), /a line of more than 16777216 bytes, which is skipped/);
  });

  it("returns its unterminated last line once it is deleted, and ends", () => {
    writeFileSync(current, "a\nno end");
    const { see, readAll, log } = logs.follower();
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
    const { see, readAll } = logs.follower();
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
    const { see, readAll } = logs.follower();
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
    assert.match(logs.told.join(), /0\.log cannot be opened yet: .*too many open files/);
    assert.deepEqual(readAll(), ["a"]);
  });

  it("reports a file that was deleted before it was read", () => {
    const paths = rotatedFiles();
    writeFileSync(current, "a\n");
    const { see, readAll } = logs.follower();
    see(...paths, current);
    rmSync(current);
    for (const _ of paths) {
      readAll();
      clock.forward(1010);
      readAll();
    }
    // It may only have another name.
    assert.deepEqual([readAll(), logs.told], [OLD, []]);
    see(...paths);
    readAll();
    assert.deepEqual(logs.told, [`${current} was deleted before it was read`]);
  });
});

import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, renameSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Clock } from "./clock.ts";
import { LogFolder } from "./log-folder.ts";

const clock = new Clock();

describe("A file that Logagent knows again, or not", () => {
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

  /** Reads while the files that were rotated away end. */
  function readOn(readAll: () => unknown) {
    for (let wait = 0; wait < 3; wait += 1) {
      clock.forward(1010);
      readAll();
    }
  }

  it("is read although it has the inode of a deleted file that was read", () => {
    writeFileSync(current, "a\n");
    const { see, readAll } = logs.follower();
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
    const { see, readAll } = logs.follower();
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
    const { see, readAll } = logs.follower();
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
    mkdirSync(join(logs.path, "state"));
    const place = { offset: 2, head: "a\nb\n", born: 1 };
    writeFileSync(join(logs.path, "state", "positions.json"), JSON.stringify({ [`${dev}:${ino}`]: place }));
    const { see, readAll } = logs.follower();
    see(current);
    assert.deepEqual(readAll(), ["b"]);
  });

  it("is read again from its beginning after truncation, or for a new file with the same inode", () => {
    writeFileSync(current, "first\nsecond\n");
    const before = logs.follower();
    before.see(current);
    before.readAll();
    truncateSync(current, 0);
    appendFileSync(current, "new\n");
    assert.deepEqual(before.readAll(), ["first", "second", "new"]);
    assert.match(logs.told.join(), /was truncated to 4 bytes/);
    before.save();
    before.log.close();
    writeFileSync(current, "other beginning\nmore than before\n");
    const after = logs.follower();
    after.see(current);
    assert.deepEqual(after.readAll(), ["other beginning", "more than before"]);
  });
});

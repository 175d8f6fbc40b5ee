import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import buffers from "../../../../../components/logging/collectors/logagent/buffer.cjs";

const MIB = 2 ** 20;

describe("Logagent's buffer", () => {
  let folder = "";
  let told: string[] = [];
  const open = (bytes = 8 * MIB, whenFull: "block" | "drop-oldest" = "block") =>
    buffers.openBuffer(folder, { bytes, whenFull }, (message) => told.push(message));
  const chunks = () => readdirSync(join(folder, "buffer")).filter((name) => name.endsWith(".chunk"));
  const text = (size: number, character = "x") => `${character.repeat(size - 1)}\n`;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "buffer-"));
    told = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is on disk with each mebibyte, and with each flush", () => {
    const buffer = open();
    buffer.add(text(MIB - 1), []);
    assert.deepEqual(chunks(), []);
    buffer.add(text(1), []);
    assert.equal(chunks().length, 1);
    buffer.add("a\n", []);
    buffer.flush();
    buffer.flush();
    assert.equal(chunks().length, 2);
  });

  it("stores positions once their records are on disk, and not before", () => {
    const buffer = open();
    buffer.positions.set("1:2", { offset: 0, head: "h", born: 1 });
    buffer.add("a\n", [["1:2", 10]]);
    buffer.add("b\n", [["1:2", 20]]);
    assert.equal(buffer.positions.get("1:2")?.offset, 0);
    buffer.flush();
    assert.deepEqual(JSON.parse(readFileSync(join(folder, "positions.json"), "utf8")), {
      "1:2": { offset: 20, head: "h", born: 1 },
    });
  });

  it("returns the oldest first, each to one reader, and unfinished ones again after a restart", () => {
    const buffer = open();
    for (const line of ["a\n", "b\n"]) {
      buffer.add(line, []);
      buffer.flush();
    }
    const [one, two] = [buffer.take(), buffer.take()];
    assert.equal(buffer.take(), undefined);
    assert.ok(one && two);
    assert.deepEqual([readFileSync(one.file, "utf8"), readFileSync(two.file, "utf8")], ["a\n", "b\n"]);
    buffer.done(one);
    assert.equal(chunks().length, 1);
    writeFileSync(join(folder, "buffer", "000000000009.chunk.new"), "half");
    const again = open();
    assert.equal(readFileSync(again.take()?.file ?? "", "utf8"), "b\n");
    // Numbers go on, or what is new would stand before what is old.
    again.add("c\n", []);
    again.flush();
    assert.deepEqual(chunks().sort(), ["000000000002.chunk", "000000000003.chunk"]);
  });

  it("pauses the reader when it is full, until there is room", () => {
    const buffer = open(2 * MIB);
    buffer.add(text(MIB), []);
    assert.equal(buffer.isFull(), false);
    buffer.add(text(MIB), []);
    assert.equal(buffer.isFull(), true);
    const chunk = buffer.take();
    assert.ok(chunk);
    buffer.done(chunk);
    assert.equal(buffer.isFull(), false);
  });

  it("drops the oldest when it is full and configured to, but not what is being sent", () => {
    const buffer = open(3 * MIB, "drop-oldest");
    buffer.add(text(MIB, "a"), []);
    const sending = buffer.take();
    for (const character of ["b", "c", "d"]) buffer.add(text(MIB, character), []);
    assert.equal(buffer.isFull(), false);
    const kept = chunks().map((name) => readFileSync(join(folder, "buffer", name), "utf8")[0]);
    assert.deepEqual(kept, ["a", "c", "d"]);
    assert.match(told.join(), /the buffer is full: dropped 1 of its oldest files/);
    assert.ok(sending);
    buffer.done(sending);
  });

  it("pauses the reader while the disk accepts nothing, loses nothing, and resumes", () => {
    const buffer = open();
    const place = join(folder, "buffer");
    rmSync(place, { recursive: true });
    writeFileSync(place, "in the way");
    buffer.add(text(MIB), []);
    buffer.add("a\n", []);
    buffer.flush();
    assert.equal(buffer.isFull(), true);
    assert.equal(told.length, 1);
    rmSync(place);
    mkdirSync(place);
    buffer.flush();
    assert.equal(buffer.isFull(), false);
    assert.equal(readFileSync(buffer.take()?.file ?? "", "utf8"), `${text(MIB)}a\n`);
  });

  it("wakes readers that wait for new records", async () => {
    const buffer = open();
    const start = Date.now();
    const waiting = Promise.all([buffer.wait(10_000), buffer.wait(10_000)]);
    buffer.add("a\n", []);
    buffer.flush();
    await waiting;
    assert.ok(Date.now() - start < 5000);
    assert.equal(buffer.isEmpty(), false);
  });

  it("is available to the input once the output has opened it", () => {
    assert.throws(() => buffers.bufferAt("/nowhere"), /no output has opened the buffer in \/nowhere/);
    const buffer = open();
    assert.equal(buffers.bufferAt(folder), buffer);
  });
});

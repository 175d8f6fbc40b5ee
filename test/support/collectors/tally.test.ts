import assert from "node:assert/strict";
import { Tally } from "./tally.ts";

describe("A receiver's tally", () => {
  const line = (number: number) => `f0 s${number} text`;

  it("takes a line under the id of another for that one, as a search engine does, and so for lost", () => {
    const tally = new Tally();
    assert.equal(tally.add("pods-1", line(1), "a"), false);
    assert.equal(tally.add("pods-1", line(2), "a"), true);
    assert.equal(tally.add("pods-1", line(1), "a"), true);
    const { unique, collided, repeated, doubled } = tally.stats();
    assert.deepEqual({ unique, collided, repeated, doubled }, { unique: 1, collided: 1, repeated: 1, doubled: 0 });
  });

  it("knows the line of each of many ids", () => {
    const tally = new Tally();
    const each = (shift: number) => {
      for (let number = 0; number < 5000; number += 1) tally.add("pods", line(number + shift), `id ${number}`);
    };
    each(0);
    each(0);
    const counts = () => [tally.stats().unique, tally.stats().repeated, tally.stats().collided];
    assert.deepEqual(counts(), [5000, 5000, 0]);
    each(1);
    assert.deepEqual(counts(), [5000, 5000, 5000]);
  });

  it("keeps one id in two indices apart, and counts what comes again without one as doubled", () => {
    const tally = new Tally();
    for (const [place, number, id] of [
      ["pods-1", 1, "a"],
      ["pods-2", 2, "a"],
      ["pods-1", 3],
      ["pods-1", 3],
    ] as const)
      tally.add(place, line(number), id);
    const { unique, collided, doubled } = tally.stats();
    assert.deepEqual({ unique, collided, doubled }, { unique: 3, collided: 0, doubled: 1 });
  });

  it("says within which time 99 % of the lines came, each for the first time", () => {
    const tally = new Tally();
    tally.add("pods", line(2000));
    assert.equal(tally.stats().lateSeconds, Number.NaN);
    for (let number = 0; number < 1000; number += 1)
      tally.add("pods", line(number), undefined, number < 990 ? 0.42 : 30);
    assert.equal(tally.stats().lateSeconds, 0.5);
    for (let number = 0; number < 1000; number += 1) tally.add("pods", line(number), undefined, 60);
    assert.equal(tally.stats().lateSeconds, 0.5);
    for (let number = 1000; number < 1020; number += 1) tally.add("pods", line(number), undefined, 7);
    assert.equal(tally.stats().lateSeconds, 7);
  });

  it("says so of each file too, and of all together", () => {
    const tally = new Tally();
    for (let number = 0; number < 1000; number += 1) tally.add("pods", `f1 s${number} text`, undefined, 0.2);
    for (let number = 0; number < 5; number += 1) tally.add("pods", `f2 s${number} text`, undefined, 20);
    const { lateSeconds, fileLateSeconds } = tally.stats();
    assert.deepEqual([lateSeconds, fileLateSeconds], [0.2, { 1: 0.2, 2: 20 }]);
  });
});

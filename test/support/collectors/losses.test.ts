import assert from "node:assert/strict";
import { changed, type Trial } from "./losses.ts";

describe("A trial's changes", () => {
  const usual: Trial = {
    quietSeconds: 40,
    settings: { multiline: [], parseJson: false },
    write: { files: 3, bytesPerSecond: 1, seconds: 2 },
  };
  const settingsOf = ({ settings }: Trial) => (typeof settings === "function" ? settings(9200) : settings);

  it("leave what they do not name", () => {
    const { quietSeconds, write, ...rest } = changed(usual, { write: { seconds: 5 } });
    assert.deepEqual([quietSeconds, write], [40, { files: 3, bytesPerSecond: 1, seconds: 5 }]);
    assert.deepEqual(settingsOf({ write, ...rest }), usual.settings);
  });

  it("may know the receiver's port", () => {
    const trial = changed(usual, { settings: (port) => ({ parseJson: true, port }) });
    assert.deepEqual(settingsOf(trial), { multiline: [], parseJson: true, port: 9200 });
  });
});

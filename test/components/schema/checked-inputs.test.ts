import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { checkedInputs, holdsOutput } from "../../../components/schema/checked-inputs.ts";

const Args = z.strictObject({ names: z.array(z.string().min(2)).default(["none"]) });

/** The value of an output, as the engine would get it. */
const settled = async (output: pulumi.Output<unknown>) =>
  (await pulumi.runtime.serializeProperties("test", { output })).output;

describe("arguments that may hold outputs", () => {
  it("are distinguished from plain ones at any depth", () => {
    assert.equal(holdsOutput({ a: [{ b: pulumi.output("c") }] }), true);
    assert.equal(holdsOutput({ a: [Promise.resolve("c")] }), true);
    assert.equal(holdsOutput({ a: ["c", null, undefined, 5] }), false);
  });

  it("are checked at once if they are known", async () => {
    assert.throws(() => checkedInputs("team", Args, { names: ["a"] }), /team\.names\[0\]: /);
    assert.deepEqual(await settled(checkedInputs("team", Args, {})), { names: ["none"] });
  });

  it("are checked as soon as they are known", async () => {
    const later = (name: string) => settled(checkedInputs("team", Args, { names: [pulumi.output(name)] }));
    assert.deepEqual(await later("ab"), { names: ["ab"] });
    await assert.rejects(later("a"), /team\.names\[0\]: /);
  });

  it("are not shown if they are secret and invalid, nor in another issue's message", async () => {
    const Words = z
      .strictObject({ words: z.array(z.string().regex(/^\w+$/, "must be a word")) })
      .superRefine(({ words }, context) => {
        if (words.length > 1)
          context.addIssue({ code: "custom", path: ["words"], message: `must not be ${words.join()}` });
      });
    const errorOf = async (...words: pulumi.Input<string>[]) => {
      const found = await settled(checkedInputs("team", Words, { words })).catch((error: unknown) => error);
      assert.ok(found instanceof Error);
      return found.message.split("\n").slice(1);
    };
    assert.deepEqual(await errorOf(pulumi.output("hunter 2")), ['  team.words[0]: must be a word (found "hunter 2")']);
    assert.deepEqual(await errorOf(pulumi.secret("hunter 2")), ["  team.words[0]: must be a word"]);
    assert.deepEqual(await errorOf(pulumi.secret("hunter"), "two"), ["  team.words: must not be (secret),(secret)"]);
  });
});

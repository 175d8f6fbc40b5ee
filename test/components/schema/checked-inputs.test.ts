import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { checkedInputs, holdsOutput } from "../../../components/schema/checked-inputs.ts";

const Args = z.strictObject({ names: z.array(z.string().min(2)).default(["none"]) });

/** The value of an output, as the engine would get it. */
const settled = async (output: pulumi.Output<unknown>) =>
  (await pulumi.runtime.serializeProperties("test", { output })).output;

describe("arguments that may hold outputs", () => {
  it("are told from plain ones at any depth", () => {
    assert.equal(holdsOutput({ a: [{ b: pulumi.output("c") }] }), true);
    assert.equal(holdsOutput({ a: [Promise.resolve("c")] }), true);
    assert.equal(holdsOutput({ a: ["c", null, undefined, 5] }), false);
  });

  it("are checked at once where they are known", async () => {
    assert.throws(() => checkedInputs("team", Args, { names: ["a"] }), /team\.names\[0\]: /);
    assert.deepEqual(await settled(checkedInputs("team", Args, {})), { names: ["none"] });
  });

  it("are checked as soon as they are known", async () => {
    const later = (name: string) => settled(checkedInputs("team", Args, { names: [pulumi.output(name)] }));
    assert.deepEqual(await later("ab"), { names: ["ab"] });
    await assert.rejects(later("a"), /team\.names\[0\]: /);
  });
});

import assert from "node:assert/strict";
import { parseCorefile } from "../../corefile/model.ts";
import { sameMeaning } from "./same-meaning.ts";

const same = (one: string, other: string) => sameMeaning(parseCorefile(one), parseCorefile(other));

describe("the meaning of a Corefile", () => {
  it("does not depend on the order of different plugins, options or blocks", () => {
    assert.ok(
      same(".:53 {\n cache 30\n errors\n}\na.:53 {\n loop\n}\n", "a.:53 {\n loop\n}\n.:53 {\n errors\n cache 30\n}\n"),
    );
    assert.ok(
      same(
        ".:53 {\n kubernetes a {\n ttl 5\n pods insecure\n }\n}\n",
        ".:53 {\n kubernetes a {\n pods insecure\n ttl 5\n }\n}\n",
      ),
    );
    assert.ok(same(".:53 {\n health {\n }\n}\n", ".:53 {\n health\n}\n"));
  });

  it("depends on the order of lines of one plugin, and on every word", () => {
    assert.ok(
      !same(
        ".:53 {\n forward a 1.1.1.1\n forward . 2.2.2.2\n}\n",
        ".:53 {\n forward . 2.2.2.2\n forward a 1.1.1.1\n}\n",
      ),
    );
    assert.ok(!same(".:53 {\n cache 30\n}\n", ".:53 {\n cache 31\n}\n"));
  });

  it("is the same with a snippet and with its content", () => {
    const text =
      "(base) {\n errors\n}\n(more) {\n import base\n cache\n}\n.:53 {\n import more\n import other.conf\n}\n";
    assert.ok(same(text, ".:53 {\n errors\n cache\n import other.conf\n}\n"));
  });
});

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

describe("the pack's schemas of the CoreDNS add-on", () => {
  for (const file of ["with-autoscaling", "without-autoscaling", "without-pods", "fetched"]) {
    it(`are those of components/dns: ${file}.json`, async () => {
      const [pack, component] = await Promise.all(
        ["../../policies/coredns/", "../../components/dns/addon/schemas/"].map((folder) =>
          readFile(new URL(`${folder}${file}.json`, import.meta.url), "utf8"),
        ),
      );
      assert.equal(pack, component, `copy components/dns/addon/schemas/${file}.json to policies/coredns/`);
    });
  }
});

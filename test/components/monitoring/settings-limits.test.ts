import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import { planOnce } from "../../support/plans.ts";
import { configOf } from "./stacks.ts";

const errorsOf = (sections: Readonly<Record<string, unknown>>) => {
  try {
    parseSettings(configOf("existing", sections));
    return [];
  } catch (error) {
    assert.ok(error instanceof Error);
    return error.message.split("\n  ").slice(1);
  }
};

describe("the limits of monitoring settings", () => {
  it("require an outside name that can exist, since the canary's lookups would always fail otherwise", () => {
    const of = (outsideName: string) => errorsOf({ monitoring: { kind: "annotations", canary: { outsideName } } });
    for (const name of ["192.0.2.1", "host.127", `${"a".repeat(64)}.example`, "a..example", "example.com."])
      assert.deepEqual(of(name), [
        `monitoring.canary.outsideName: must be a DNS name with a dot, such as aws.amazon.com (found "${name}")`,
      ]);
    for (const name of ["aws.amazon.com", `${"a".repeat(63)}.example`, "1.example", "xn--p1ai.xn--p1ai", "a.b2"])
      assert.deepEqual(of(name), [], name);
  });

  it("require a runbook URL that is not a Prometheus template", () => {
    const of = (runbookUrl: string) => errorsOf({ monitoring: { kind: "annotations", runbookUrl } });
    const wrong = "https://git.example.com/{{ $labels.x }}/runbooks".replaceAll(" ", "");
    assert.deepEqual(of(wrong), [
      `monitoring.runbookUrl: must be an address such as https://git.example.com/platform/blob/main/docs/runbooks (found "${wrong}")`,
    ]);
    assert.deepEqual(of("https://git.example.com/%7Bmain%7D/runbooks"), []);
  });

  it("accept images by tag, by digest or by both", () => {
    const of = (image: string) => errorsOf({ monitoring: { kind: "annotations", canary: { image } } });
    const digest = `sha256:${"0a".repeat(32)}`;
    for (const image of ["curl:8.17.0-RC1", `curl@${digest}`, `r.example:5000/curl:8.17.0-RC1@${digest}`])
      assert.deepEqual(of(image), [], image);
    for (const image of [
      "curl",
      "curl:latest",
      `curl:@${digest}`,
      `curl@${digest}:8.17.0`,
      `curl:8@${digest}@${digest}`,
    ])
      assert.match(
        of(image).join(),
        /^monitoring\.canary\.image: must be an image with a fixed tag or a digest/,
        image,
      );
  });

  it("require labels that Kubernetes accepts", () => {
    const of = (key: string, value = "x") =>
      errorsOf({ monitoring: { kind: "annotations", prometheus: { labels: { [key]: value } } } });
    for (const key of ["release", "a.example/release", `${"a".repeat(253)}/release`])
      assert.deepEqual(of(key), [], key);
    for (const key of ["a..example/release", ".example/release", `${"a".repeat(254)}/release`, "a/b/c", "-x"])
      assert.match(of(key).join(), /^monitoring\.prometheus\.labels.*must be a label key, such as app/, key);
    assert.match(of("release", "a b").join(), /^monitoring\.prometheus\.labels\.release: must be a label value/);
  });

  it("name a CloudWatch dashboard by region too, since dashboards are global", async () => {
    const nameIn = async (region: string) => {
      const config = configOf("eks-existing", { monitoring: { kind: "cloudwatch" } });
      const { resources } = await planOnce({ name: "prod", config: { ...config, "aws:region": region } });
      return resources.flatMap(({ type, inputs }) =>
        type === "aws:cloudwatch/dashboard:Dashboard" ? [inputs.dashboardName] : [],
      );
    };
    assert.deepEqual(await nameIn("eu-central-1"), ["prod-eu-central-1-dns-logging"]);
    assert.deepEqual(await nameIn("us-east-1"), ["prod-us-east-1-dns-logging"]);
  });

  it("reserve the canary's namespace, whose network policy would cut CoreDNS off", () => {
    const of = (enabled: boolean) =>
      errorsOf({
        dns: { adopt: { namespace: "canary", selector: { app: "dns" } } },
        monitoring: { kind: "annotations", canary: { enabled } },
      });
    assert.deepEqual(of(true), [
      "monitoring.canary.enabled: must be false while dns.adopt.namespace is canary (found true)",
    ]);
    assert.deepEqual(of(false), []);
  });
});

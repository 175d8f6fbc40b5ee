import assert from "node:assert/strict";
import proto from "@pulumi/pulumi/proto/analyzer_pb.js";
import { OWN_POLICIES } from "../../policies/core/pack-config.ts";
import { RULES } from "../../policies/pack.ts";
import { UNKNOWN_TEXT } from "./engine-run.ts";
import { PackProcess } from "./pack-process.ts";

/** How the engine wraps a secret. */
const secret = (value: string) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

const TYPE = "kubernetes:core/v1:Pod";
const pod = (image: string) => ({
  metadata: { name: "app", namespace: "shop" },
  spec: {
    automountServiceAccountToken: false,
    containers: [
      {
        name: "app",
        image,
        env: [{ name: "PASSWORD", value: secret("hunter2") }],
        resources: { requests: { cpu: "1m", memory: "1Mi" }, limits: { memory: "1Mi" } },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          readOnlyRootFilesystem: true,
        },
      },
    ],
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  },
});

const saidIn = (response: InstanceType<typeof proto.AnalyzeResponse>) =>
  response.getDiagnosticsList().map((one) => [one.getPolicyname(), one.getMessage(), one.getEnforcementlevel()]);

describe("the policy pack as a process", () => {
  let pack: PackProcess;
  before(async () => {
    pack = await PackProcess.start(TYPE);
  });
  after(() => pack.stop());

  it("tells the engine its rules and their levels", async () => {
    const info = await pack.info();
    const policies = info.getPoliciesList();
    assert.ok(policies.length >= RULES.length);
    for (const { id, level } of RULES.filter((rule) => !("planOnly" in rule))) {
      const policy = policies.find((one) => one.getName() === id);
      const wanted = level === "mandatory" ? proto.EnforcementLevel.MANDATORY : proto.EnforcementLevel.ADVISORY;
      assert.equal(policy?.getEnforcementlevel(), wanted, id);
    }
  });

  it("finds a resource's issues, and prints no secret", async () => {
    const said = saidIn(await pack.analyze(pod("docker.io/app:latest")));
    assert.deepEqual(
      said.map(([policy]) => policy),
      ["pods-images-pinned", "pods-no-literal-secrets"],
    );
    assert.match(
      String(said[0]?.[1]),
      /spec\.containers\[0\]\.image is "docker\.io\/app:latest", whose tag latest moves/,
    );
    assert.ok(!JSON.stringify(said).includes("hunter2"));
    assert.equal(said[0]?.[2], proto.EnforcementLevel.MANDATORY);
  });

  it("reports at the end what an unknown value leaves undecided", async () => {
    const said = saidIn(await pack.analyze(pod(UNKNOWN_TEXT)));
    assert.deepEqual(
      said.map(([policy]) => policy),
      ["pods-no-literal-secrets"],
    );
    const open = saidIn(await pack.analyzeStack());
    assert.deepEqual(
      open.map(([policy, message]) => [policy, /\n(.*) is known only after deployment/.exec(String(message))?.[1]]),
      ["pods-images-pinned", "pods-image-registries"].map((rule) => [
        OWN_POLICIES.undecided,
        `${rule}: Pod/shop/app: spec.containers[0].image`,
      ]),
    );
  });
});

describe("the policy pack with one level for all policies", () => {
  const names = [...RULES.map(({ id }) => id), ...Object.values(OWN_POLICIES)];
  const rule = "pods-images-pinned";

  it("stops at no exemption, finds it by its name, and says why it shows no values", async () => {
    const pack = await PackProcess.start(TYPE);
    try {
      const exempt = [{ resource: "Pod/shop/app", reason: "a trial" }];
      await pack.configure(names, proto.EnforcementLevel.MANDATORY, { [rule]: { exempt } });
      assert.deepEqual(
        saidIn(await pack.analyze(pod("docker.io/app:latest"))).map(([policy]) => policy),
        ["pods-no-literal-secrets"],
      );
      const title = "Lists what is exempt from a rule, and exemptions that are invalid or have no effect.";
      assert.deepEqual(
        saidIn(await pack.analyzeStack()).map(([policy, message, level]) => [policy, level, message]),
        [
          [
            OWN_POLICIES.exemptions,
            proto.EnforcementLevel.ADVISORY,
            `${title}\n${rule}: Pod/app: spec.containers[0].image (secret, value not shown) does not comply: Each image is pinned to a version or digest. Fix: use a version, such as :1.2.3, or a digest. Allowed: a trial`,
          ],
          [
            OWN_POLICIES.exemptions,
            proto.EnforcementLevel.ADVISORY,
            `${title}\nsecret-values: enforcementLevel must be remediate, even if \`all\` sets another level, or findings show no values`,
          ],
        ],
      );
    } finally {
      await pack.stop();
    }
  });

  it("stops at an exemption without effect", async () => {
    const pack = await PackProcess.start(TYPE);
    try {
      const exempt = [{ resource: "Pod/shop/other", reason: "a trial" }];
      await pack.configure(names, proto.EnforcementLevel.MANDATORY, { [rule]: { exempt } });
      await pack.analyze(pod("docker.io/app:1.2.3"));
      const [first] = saidIn(await pack.analyzeStack());
      assert.match(
        String(first?.[1]),
        /exemption of Pod\/shop\/other from pods-images-pinned has no effect; remove it$/,
      );
      assert.equal(first?.[2], proto.EnforcementLevel.MANDATORY);
    } finally {
      await pack.stop();
    }
  });
});

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { credentials } from "@grpc/grpc-js";
import grpc from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import proto from "@pulumi/pulumi/proto/analyzer_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { OWN_POLICIES } from "../../policies/core/pack-config.ts";
import { RULES } from "../../policies/pack.ts";
import { UNKNOWN_TEXT, urnOf } from "./engine-run.ts";

/** What Pulumi's language host starts for a policy pack. See RunPlugin in pulumi-language-nodejs. */
const SHIM = join(PROJECT_ROOT, "node_modules", "@pulumi", "pulumi", "cmd", "run-policy-pack");
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

describe("the policy pack as a process", () => {
  let pack: ChildProcess;
  let client: InstanceType<typeof grpc.AnalyzerClient>;
  before(async () => {
    const folder = join(PROJECT_ROOT, "policies");
    // In the pack's folder, as the engine does: elsewhere the SDK's own old compiler of TypeScript reads the project's tsconfig.json.
    pack = spawn(process.execPath, [SHIM, "127.0.0.1:1", folder], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    assert.ok(pack.stdout !== null);
    const [port]: Buffer[] = await once(pack.stdout, "data");
    assert.match(String(port), /^\d{4,5}\n$/);
    client = new grpc.AnalyzerClient(`127.0.0.1:${String(port).trim()}`, credentials.createInsecure());
  });
  after(async () => {
    client.close();
    pack.kill();
    await once(pack, "exit");
  });

  /** As the engine does: it asks for remediations first, which alone are told what is secret. */
  const analyze = async (props: object) => {
    const request = new proto.AnalyzeRequest()
      .setType(TYPE)
      .setName("app")
      .setUrn(urnOf(TYPE, "app"))
      .setOptions(new proto.AnalyzerResourceOptions())
      .setProperties(struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(props))));
    const remedied = await promisify<typeof request, InstanceType<typeof proto.RemediateResponse>>(
      client.remediate.bind(client),
    )(request);
    assert.deepEqual(remedied.getRemediationsList(), []);
    return promisify<typeof request, InstanceType<typeof proto.AnalyzeResponse>>(client.analyze.bind(client))(request);
  };
  const analyzeStack = () => {
    const resource = new proto.AnalyzerResource()
      .setType(TYPE)
      .setName("app")
      .setUrn(urnOf(TYPE, "app"))
      .setOptions(new proto.AnalyzerResourceOptions())
      .setProperties(struct.Struct.fromJavaScript({}));
    const request = new proto.AnalyzeStackRequest().setResourcesList([resource]);
    return promisify<typeof request, InstanceType<typeof proto.AnalyzeResponse>>(client.analyzeStack.bind(client))(
      request,
    );
  };
  const saidIn = (response: InstanceType<typeof proto.AnalyzeResponse>) =>
    response.getDiagnosticsList().map((one) => [one.getPolicyname(), one.getMessage(), one.getEnforcementlevel()]);

  it("tells the engine its rules and their levels", async () => {
    const request = new (await import("google-protobuf/google/protobuf/empty_pb.js")).default.Empty();
    const info = await promisify<typeof request, InstanceType<typeof proto.AnalyzerInfo>>(
      client.getAnalyzerInfo.bind(client),
    )(request);
    const policies = info.getPoliciesList();
    assert.ok(policies.length >= RULES.length);
    for (const { id, level } of RULES.filter((rule) => !("planOnly" in rule))) {
      const policy = policies.find((one) => one.getName() === id);
      const wanted = level === "mandatory" ? proto.EnforcementLevel.MANDATORY : proto.EnforcementLevel.ADVISORY;
      assert.equal(policy?.getEnforcementlevel(), wanted, id);
    }
  });

  it("finds a resource's issues, and prints no secret", async () => {
    const said = saidIn(await analyze(pod("docker.io/app:latest")));
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
    const said = saidIn(await analyze(pod(UNKNOWN_TEXT)));
    assert.deepEqual(
      said.map(([policy]) => policy),
      ["pods-no-literal-secrets"],
    );
    const open = saidIn(await analyzeStack());
    assert.deepEqual(
      open.map(([policy, message]) => [policy, /\n(.*) is known only after deployment/.exec(String(message))?.[1]]),
      ["pods-images-pinned", "pods-image-registries"].map((rule) => [
        OWN_POLICIES.undecided,
        `${rule}: Pod/shop/app: spec.containers[0].image`,
      ]),
    );
  });
});

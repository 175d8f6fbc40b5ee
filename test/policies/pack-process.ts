import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { credentials } from "@grpc/grpc-js";
import grpc from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import proto from "@pulumi/pulumi/proto/analyzer_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { urnOf } from "./engine-run.ts";

/** What Pulumi's language host starts for a policy pack. See RunPlugin in pulumi-language-nodejs. */
const SHIM = join(PROJECT_ROOT, "node_modules", "@pulumi", "pulumi", "cmd", "run-policy-pack");

type Level = (typeof proto.EnforcementLevel)[keyof typeof proto.EnforcementLevel];
type Diagnostics = InstanceType<typeof proto.AnalyzeResponse>;

/** The policy pack as a process, which is asked about one resource as the engine does. */
export class PackProcess {
  private readonly pack: ChildProcessByStdio<null, Readable, null>;
  private readonly client: InstanceType<typeof grpc.AnalyzerClient>;
  private readonly type: string;

  private constructor(pack: PackProcess["pack"], port: string, type: string) {
    this.pack = pack;
    this.client = new grpc.AnalyzerClient(`127.0.0.1:${port}`, credentials.createInsecure());
    this.type = type;
  }

  /** @param type of the resource. */
  static async start(type: string): Promise<PackProcess> {
    const folder = join(PROJECT_ROOT, "policies");
    // In the pack's folder, as the engine does: elsewhere the SDK's own old compiler of TypeScript reads the project's tsconfig.json.
    const pack = spawn(process.execPath, [SHIM, "127.0.0.1:1", folder], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [port]: Buffer[] = await once(pack.stdout, "data");
    assert.match(String(port), /^\d{4,5}\n$/);
    return new PackProcess(pack, String(port).trim(), type);
  }

  async stop(): Promise<void> {
    this.client.close();
    this.pack.kill();
    await once(this.pack, "exit");
  }

  info() {
    const { client } = this;
    const request = new empty.Empty();
    return promisify<typeof request, InstanceType<typeof proto.AnalyzerInfo>>(client.getAnalyzerInfo.bind(client))(
      request,
    );
  }

  /** Gives all of these policies one level, as the engine does by the level of `all`, and some of them a configuration. */
  async configure(policies: readonly string[], level: Level, config: Readonly<Record<string, object>>): Promise<void> {
    const { client } = this;
    const request = new proto.ConfigureAnalyzerRequest();
    for (const name of policies) {
      const properties = struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(config[name] ?? {})));
      const policy = new proto.PolicyConfig().setEnforcementlevel(level).setProperties(properties);
      request.getPolicyconfigMap().set(name, policy);
    }
    await promisify<typeof request, unknown>(client.configure.bind(client))(request);
  }

  /** As the engine does: it asks for remediations first, which alone are told what is secret. */
  async analyze(props: object): Promise<Diagnostics> {
    const { client, type } = this;
    const request = new proto.AnalyzeRequest()
      .setType(type)
      .setName("app")
      .setUrn(urnOf(type, "app"))
      .setOptions(new proto.AnalyzerResourceOptions())
      .setProperties(struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(props))));
    const remedied = await promisify<typeof request, InstanceType<typeof proto.RemediateResponse>>(
      client.remediate.bind(client),
    )(request);
    assert.deepEqual(remedied.getRemediationsList(), []);
    return promisify<typeof request, Diagnostics>(client.analyze.bind(client))(request);
  }

  analyzeStack(): Promise<Diagnostics> {
    const { client, type } = this;
    const resource = new proto.AnalyzerResource()
      .setType(type)
      .setName("app")
      .setUrn(urnOf(type, "app"))
      .setOptions(new proto.AnalyzerResourceOptions())
      .setProperties(struct.Struct.fromJavaScript({}));
    const request = new proto.AnalyzeStackRequest().setResourcesList([resource]);
    return promisify<typeof request, Diagnostics>(client.analyzeStack.bind(client))(request);
  }
}

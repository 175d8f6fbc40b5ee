import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import { formatImages, imagesOf } from "../../../lab/plan/manifests.ts";
import { record } from "../../../lab/plan/plan.ts";

describe("formatImages", () => {
  it("prints one line per image, and nothing for none", () => {
    assert.equal(formatImages([{ container: "curl", image: "docker.io/curl:8" }]), "curl docker.io/curl:8\n");
    assert.equal(formatImages([]), "");
  });
});

describe("imagesOf", () => {
  it("finds the images of pods and of templates, init containers included, each once", async () => {
    const { resources } = await record({ stack: "dev", config: {} }, async () => {
      const shell = { name: "curl", image: "curl:1" };
      new k8s.core.v1.Pod("pod", {
        spec: { initContainers: [{ name: "responder", image: "nginx:1" }], containers: [shell] },
      });
      const template = { spec: { containers: [shell, { name: "agent", image: "agent:1" }] } };
      new k8s.apps.v1.DaemonSet("daemons", { spec: { selector: {}, template } });
      new k8s.core.v1.Service("service", { spec: { ports: [{ name: "http", port: 80 }] } });
    });
    assert.deepEqual(imagesOf(resources), [
      { container: "agent", image: "agent:1" },
      { container: "curl", image: "curl:1" },
      { container: "responder", image: "nginx:1" },
    ]);
  });
});

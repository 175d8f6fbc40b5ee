import assert from "node:assert/strict";
import { upCommand, verifyCommand } from "../../components/stack-commands.ts";

const EXISTING = { cluster: { kind: "existing" }, region: undefined } as const;
const EKS = { cluster: { kind: "eks", name: "lab" }, region: "eu-central-1" } as const;

describe("the commands that are named to a person", () => {
  it("prove the stack that stands, on its own cluster", () => {
    assert.equal(verifyCommand({ stack: "local", ...EXISTING }), "npm run verify");
    assert.equal(verifyCommand({ stack: "kind", ...EXISTING }), "npm run verify -- --stack kind");
    assert.equal(
      verifyCommand({ stack: "dev", ...EKS }),
      "aws eks update-kubeconfig --name lab --region eu-central-1 && npm run verify -- --stack dev",
    );
  });

  it("replace ended pods by what brings that stack up: `lab up` takes no stack with a cluster of its own", () => {
    assert.equal(upCommand({ stack: "local", ...EXISTING }), "npm run lab -- up");
    assert.equal(upCommand({ stack: "kind", ...EXISTING }), "npm run lab -- up --stack kind");
    assert.equal(upCommand({ stack: "dev", ...EKS }), "pulumi up --stack dev --refresh --replace '**-curl-pod'");
  });
});

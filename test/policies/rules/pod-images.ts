import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { first, type Sample } from "./samples.ts";
import { GOOD_POD, patchedDeployment } from "./workloads.ts";

const C = "spec.containers.0";
const AT = "Pod/ts-team/curl-ts: spec.containers[0]";
const set = (path: string, to: Parameters<typeof first>[2]) => first(GOOD_POD, path, to);

/** A pod with a volume of the files of an image. */
const fromImage = (reference: Value | undefined): Sample =>
  first(
    set("spec.volumes", [{ name: "model", image: { pullPolicy: "Always" } }]),
    "spec.volumes.0.image.reference",
    reference,
  );
const VOLUME = "Pod/ts-team/curl-ts: spec.volumes[0].image.reference";

export const POD_IMAGES_CASES: CasesByRule = {
  "pods-images-pinned": {
    good: {
      "a version": GOOD_POD,
      "a digest": set(`${C}.image`, `docker.io/app@sha256:${"0".repeat(64)}`),
      "a moving tag with a digest": set(`${C}.image`, `docker.io/app:latest@sha256:${"0".repeat(64)}`),
      "a patch that leaves the image": patchedDeployment({ name: "app", env: [] }),
      "a version in a tag of words": set(`${C}.image`, "docker.io/app:3.20-alpine"),
      "a registry with a port": set(`${C}.image`, "localhost:5000/app:1"),
      "a release of a channel": set(`${C}.image`, "docker.io/app:edge-24.11.8"),
      "a volume that is filled from a version": fromImage("docker.io/models/small:1.4.2"),
      "a day of a channel": set(`${C}.image`, "docker.io/app:nightly-2026-01-15-alpine"),
    },
    bad: {
      "a channel on a numbered base": [
        set(`${C}.image`, "docker.io/app:stable-alpine3.20"),
        `${AT}.image is "docker.io/app:stable-alpine3.20", whose tag stable-alpine3.20 moves`,
      ],
      latest: [
        set(`${C}.image`, "docker.io/app:latest"),
        `${AT}.image is "docker.io/app:latest", whose tag latest moves`,
      ],
      "latest of a variant": [
        set(`${C}.image`, "docker.io/app:latest-amd64"),
        `${AT}.image is "docker.io/app:latest-amd64", whose tag latest-amd64 moves`,
      ],
      "latest in other letters": [
        set(`${C}.image`, "docker.io/app:Latest"),
        `${AT}.image is "docker.io/app:Latest", whose`,
      ],
      "a word": [
        set(`${C}.image`, "docker.io/nginx:alpine"),
        `${AT}.image is "docker.io/nginx:alpine", whose tag alpine names no`,
      ],
      "an invalid digest": [
        set(`${C}.image`, "docker.io/app@sha256:abc"),
        `${AT}.image is "docker.io/app@sha256:abc", without a tag`,
      ],
      "an image that a patch sets": [
        patchedDeployment({ name: "app", image: "docker.io/app:latest" }),
        'DeploymentPatch/shop/app: spec.template.spec.containers[0].image is "docker.io/app:latest"',
      ],
      "no tag": [set(`${C}.image`, "app"), `${AT}.image is "app", without a tag, which means latest`],
      "no tag after a port": [
        set(`${C}.image`, "localhost:5000/app"),
        `${AT}.image is "localhost:5000/app", without a tag`,
      ],
      "a volume that is filled from a moving image": [
        fromImage("docker.io/models/small"),
        `${VOLUME} is "docker.io/models/small", without a tag, which means latest`,
      ],
      "a volume that is filled from no image": [fromImage(undefined), `${VOLUME} is not set, so there is no image`],
      "no image": [set(`${C}.image`, undefined), `${AT}.image is not set`],
    },
    unknown: {
      "an unknown image": [set(`${C}.image`, UNKNOWN), `${AT}.image is known only`],
      "an unknown image of a volume": [fromImage(UNKNOWN), `${VOLUME} is known only`],
    },
  },
  "pods-image-registries": {
    good: {
      "an approved registry": GOOD_POD,
      "an image that names none": set(`${C}.image`, "nginx:1.29"),
      "Docker Hub by its other name": set(`${C}.image`, "index.docker.io/library/nginx:1.29"),
      "an account's own in China": set(`${C}.image`, "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app:1"),
      "an account's own by FIPS": set(`${C}.image`, "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/app:1"),
      "an account's own by IPv6": set(`${C}.image`, "123456789012.dkr-ecr.us-east-1.on.aws/app:1"),
      "an account's own": set(`${C}.image`, "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:1"),
    },
    bad: {
      "another registry": [
        set(`${C}.image`, "evil.example/curl:1"),
        `${AT}.image is "evil.example/curl:1", from evil.example, which is not one of docker.io, quay.io`,
      ],
      "one that writes an approved one into its path": [
        set(`${C}.image`, "evil.example/a.dkr.ecr.b.amazonaws.com/curl:1"),
        `${AT}.image is "evil.example/a.dkr.ecr.b.amazonaws.com/curl:1", from evil.example`,
      ],
      "one that fills a volume": [
        fromImage("evil.example/models/small:1"),
        `${VOLUME} is "evil.example/models/small:1", from evil.example`,
      ],
      "one of a port of its own": [
        set(`${C}.image`, "quay.io:5000/curl:1"),
        `${AT}.image is "quay.io:5000/curl:1", from quay.io:5000`,
      ],
      "one that begins like an approved one": [
        set(`${C}.image`, "docker.io.evil.example/curl:1"),
        `${AT}.image is "docker.io.evil.example/curl:1", from docker.io.evil.example`,
      ],
    },
    unknown: { "an unknown image": [set(`${C}.image`, UNKNOWN), `${AT}.image is known only`] },
  },
};

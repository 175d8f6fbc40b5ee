import { matchesGlob } from "../../core/pack-config.ts";
import type { Field } from "../../core/resource.ts";
import { flag, type Report, type Rule, type Settings, texts } from "../../core/rule.ts";
import { containerLists, parseImage, podPatchOf } from "../../readers/workload.ts";
import { cis, kubernetes } from "../rule-sources.ts";
import { type Facts, podRule } from "./pod-rule.ts";

const DIGESTS = flag("digests", "Require digests", false);
const MOVING = texts("movingTags", "Tags that are not pinned, besides those without a digit; * matches any text", [
  "latest",
  "latest-*",
  "*-latest",
  "stable*",
  "edge*",
  "main",
  "main-*",
  "master",
  "master-*",
  "nightly*",
]);
/** A release of a channel, such as Linkerd's `edge-24.11.8` or `nightly-2026-01-15`. */
const RELEASE = /^(stable|edge|nightly)-v?\d+[.-]\d+[.-]\d+/i;
const REGISTRIES = texts("registries", "Allowed registries, optionally with a path; * matches any text", [
  "docker.io",
  "quay.io",
  "ghcr.io",
  "registry.k8s.io",
  "public.ecr.aws",
  "index.docker.io",
  "*.dkr.ecr.*.amazonaws.com",
  "*.dkr.ecr-fips.*.amazonaws.com",
  "*.dkr.ecr.*.amazonaws.com.cn",
  "*.dkr-ecr.*.on.aws",
  "cr.fluentbit.io",
  "docker.elastic.co",
]);

/** Sources of a pod's programs and files. */
export const POD_IMAGES: readonly Rule[] = [
  imageRule(
    {
      id: "pods-images-pinned",
      level: "mandatory",
      title: "Each image is pinned to a version or digest",
      reason: "With a moving tag, pods of one manifest can differ.",
      fix: "use a version, such as :1.2.3, or a digest",
      source: kubernetes("Configuration good practices, container images", "concepts/containers/images/#image-names"),
      options: [DIGESTS, MOVING],
    },
    (image, report, settings) => {
      const text = image.text();
      if (text === undefined) {
        // A patch only changes what it names.
        if (podPatchOf(image.owner) === undefined) report.wrong(image, "so there is no image");
        return;
      }
      const { tag, digest } = parseImage(text);
      if (digest !== undefined) return;
      if (settings.get(DIGESTS)) report.wrong(image, "without a digest");
      else if (tag === undefined) report.wrong(image, "without a tag, which means latest");
      else if (!RELEASE.test(tag) && settings.get(MOVING).some((moving) => matchesGlob(moving, tag.toLowerCase())))
        report.wrong(image, `whose tag ${tag} moves`);
      else if (!/\d/.test(tag)) report.wrong(image, `whose tag ${tag} names no version`);
    },
  ),
  imageRule(
    {
      id: "pods-image-registries",
      level: "mandatory",
      title: "Images come from approved registries",
      reason: "An unapproved registry can serve any program.",
      fix: "use an image from an approved registry, or add the registry to the option `registries`",
      source: cis("5.1.4"),
      options: [REGISTRIES],
    },
    (image, report, settings) => {
      const text = image.text();
      if (text === undefined) return;
      const { registry, repository } = parseImage(text);
      const allowed = settings.get(REGISTRIES);
      const is = (pattern: string) => {
        const [host = "", ...path] = pattern.replace(/\/$/, "").split("/");
        // The registry alone: its * must not match into the path, which anybody can choose.
        if (!matchesGlob(host, registry)) return false;
        return path.length === 0 || matchesGlob(`${path.join("/")}/*`, `${repository}/`);
      };
      if (!allowed.some(is)) report.wrong(image, `from ${registry}, which is not one of ${allowed.join(", ")}`);
    },
  ),
];

/** A rule on the image of each container and each image volume. */
function imageRule(
  facts: Omit<Facts, "forbids">,
  check: (image: Field, report: Report, settings: Settings) => void,
): Rule {
  return podRule({ ...facts, forbids: true }, (pod, report, settings) => {
    report.each(containerLists(pod), (list) =>
      report.each(list.items(), (container) => check(container.at("image"), report, settings)),
    );
    report.each(pod.at("volumes").items(), (volume) => {
      const image = volume.at("image");
      if (image.isSet) check(image.at("reference"), report, settings);
    });
  });
}

import assert from "node:assert/strict";
import { needsRuby, runRuby } from "./ruby.ts";

/** Which of the lines of pod p in second 1 go on, by the script's calls of `line`. */
function kept(script: string): unknown {
  const driver = () => `require "json"
require_relative "line_limits.rb"
$limits = LineLimits.new([{ "linesPerSecond" => 2 }, { "namespaces" => ["shop"], "linesPerSecond" => 1 }])
$kept = []
def line(name, namespace = "pay", second = 1) = $limits.beyond?(namespace, "p", second) || $kept.push(name)
${script}
puts $kept.to_json
`;
  return JSON.parse(runRuby(driver));
}

describe("Fluentd's limit of a pod's lines", () => {
  before(needsRuby);

  it("counts per second and namespace, and drops by each rule", () => {
    const lines = ["a", "b", "c"].flatMap((name) => [
      `line("${name}1")`,
      `line("${name}2", "pay", 2)`,
      `line("${name}s", "shop")`,
    ]);
    assert.deepEqual(kept(lines.join("\n")), ["a1", "a2", "as", "b1", "b2"]);
  });

  it("counts retried lines once, and those accepted before", () => {
    const script = `LineLimits.attempt { line("a") }
      2.times do
        LineLimits.attempt { line("b"); line("c"); raise Errno::ENOSPC }
      rescue SystemCallError
        $kept.pop
      end
      LineLimits.attempt { line("b"); line("c") }`;
    assert.deepEqual(kept(script), ["a", "b"]);
  });
});

import assert from "node:assert/strict";
import { needsRuby, runRuby } from "./ruby.ts";

/** Asks for these pods, one after the other, an API server that counts the questions in a label. Returns the labels found. */
function countsFound(...pods: readonly (readonly [namespace: string, name: string, uid: string])[]): unknown {
  const driver = () => `require "json"
module Kubeclient
  class ResourceNotFoundError < StandardError; end
  class Client
    def initialize(*, **) = nil
    def get_entity(*, **) = { "metadata" => { "labels" => { "count" => @count = (@count || 0) + 1 } } }
  end
end
$LOADED_FEATURES.push("kubeclient.rb")
module Kernel
  alias require_all require
  def require(name) = name == "kubeclient" ? false : require_all(name)
end
require_relative "pod_lookup.rb"
lookup = PodLookup.new("http://api.test", nil)
puts JSON.parse(STDIN.read).map { |pod| lookup.find(*pod) { false }.labels["count"] }.to_json
`;
  return JSON.parse(runRuby(driver, { input: JSON.stringify(pods) }));
}

describe("Fluentd's lookup of pods", () => {
  before(needsRuby);

  it("asks once for a pod", () => {
    const [web, other] = [["ts-team", "web-0", "95c1ec06"] as const, ["sa-team", "web-0", "95c1ec06"] as const];
    assert.deepEqual(countsFound(web, web, other, web), [1, 1, 2, 1]);
  });

  it("asks again for a new pod of the same name, which may have other labels and be left out", () => {
    const [first, second] = [["ts-team", "web-0", "95c1ec06"] as const, ["ts-team", "web-0", "c0ffee00"] as const];
    assert.deepEqual(countsFound(first, second, first, second), [1, 2, 1, 2]);
  });
});

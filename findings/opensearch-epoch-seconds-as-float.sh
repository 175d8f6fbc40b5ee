#!/usr/bin/env bash
# OpenSearch stores a time in seconds with a fraction, as zap and Python log it, in steps of 128 s.
#
# Packages: org.opensearch:opensearch and org.opensearch.plugin:transport-netty4-client 2.19.1 (Maven), on Java 17
# Behavior: without a mapping a number with a fraction becomes a float, which has 24 bits for its digits: enough for a latency, but the seconds since 1970
#   need 31 before the point. So "ts":1764496859.75, as zap logs it by default, is indexed as 1764496896, half a minute later. Lines of two minutes have
#   the same ts, so that sorting by it mixes them, and a range of one minute misses lines or finds none. The _source shows the number as it was
#   logged, so that no line looks wrong. Integers become long, which is exact; a dynamic template that maps double to double keeps fractions too.
# Output seen (2026-11-30): by ts: 1764496768, 1764496768, 1764496896, 1764496896
#   10:00: by float 2 lines, by double 3; 10:01: by float 0 lines, by double 1
# Source: https://docs.opensearch.org/latest/field-types/ (dynamic mapping: a decimal becomes a float), against
#   https://github.com/uber-go/zap/blob/v1.27.0/config.go (NewProductionEncoderConfig: "ts" by EpochTimeEncoder)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId>
  <artifactId>finding</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.opensearch</groupId>
      <artifactId>opensearch</artifactId>
      <version>2.19.1</version>
    </dependency>
    <dependency>
      <groupId>org.opensearch.plugin</groupId>
      <artifactId>transport-netty4-client</artifactId>
      <version>2.19.1</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-core</artifactId>
      <version>2.21.0</version>
    </dependency>
  </dependencies>
</project>
XML
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory=lib >mvn.log 2>&1 || { cat mvn.log; exit 1; }
cat > Main.java <<'JAVA'
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.action.support.WriteRequest.RefreshPolicy;
import org.opensearch.client.Client;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.xcontent.XContentType;
import org.opensearch.index.query.QueryBuilders;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.search.sort.SortOrder;
import org.opensearch.transport.Netty4Plugin;

public class Main {
  // OpenSearch, as its own start script begins a node.
  static class Single extends Node {
    Single(Settings settings) {
      super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "node"), List.of(Netty4Plugin.class), true);
    }
  }

  // 2025-11-30 10:00:00 UTC is 1764496800: three lines of that minute, and one of the next.
  static final String[] TIMES = {"1764496801.25", "1764496829.5", "1764496859.75", "1764496890.5"};

  public static void main(String[] args) throws Exception {
    Settings settings = Settings.builder().put("path.home", args[0]).put("discovery.type", "single-node")
        .put("network.host", "127.0.0.1").put("http.port", 0).put("transport.port", 0)
        .put("http.type", "netty4").put("transport.type", "netty4")
        .put("cluster.routing.allocation.disk.threshold_enabled", false).build();
    try (Node node = new Single(settings).start()) {
      Client client = node.client();
      String template = "{\"dynamic_templates\":[{\"d\":{\"match_mapping_type\":\"double\",\"mapping\":{\"type\":\"double\"}}}]}";
      client.admin().indices().prepareCreate("double").setMapping(template).get();
      for (String index : new String[] {"float", "double"}) {
        for (String time : TIMES) {
          client.prepareIndex(index).setSource("{\"ts\":" + time + "}", XContentType.JSON).setRefreshPolicy(RefreshPolicy.IMMEDIATE).get();
        }
      }
      SearchResponse sorted = client.prepareSearch("float").addSort("ts", SortOrder.ASC).addDocValueField("ts").get();
      String stored = Arrays.stream(sorted.getHits().getHits())
          .map(hit -> String.format("%.0f", ((Number) hit.field("ts").getValue()).doubleValue()))
          .collect(Collectors.joining(", "));
      System.out.println("seen: by ts: " + stored);
      System.out.println("seen: 10:00: " + minute(client, 1764496800) + "; 10:01: " + minute(client, 1764496860));
    }
  }

  static String minute(Client client, long from) {
    return "by float " + lines(client, "float", from) + " lines, by double " + lines(client, "double", from);
  }

  static long lines(Client client, String index, long from) {
    return client.prepareSearch(index).setQuery(QueryBuilders.rangeQuery("ts").gte(from).lt(from + 60)).get().getHits().getTotalHits().value;
  }
}
JAVA
java -Xmx512m -cp 'lib/*' Main.java "$folder/node" > log 2>&1 || { cat log; exit 1; }
sed -n 's/^seen: //p' log | tee output.txt

diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
by ts: 1764496768, 1764496768, 1764496896, 1764496896
10:00: by float 2 lines, by double 3; 10:01: by float 0 lines, by double 1
SEEN

#!/usr/bin/env bash
# OpenSearch cuts the fractions of a day's latencies if the first of them has none.
#
# Packages: org.opensearch:opensearch and org.opensearch.plugin:transport-netty4-client 2.19.1 (Maven), on Java 17
# Behavior: the first document with a field decides its type in that index: 1 makes a long, 0.5 a float. A long accepts 0.75 and indexes 0, without an
#   error, since `coerce` is on. JSON has no other way to write 1.0, and the encoders of Go and JavaScript write 1. So with an index per day, a field
#   such as "seconds" is exact on one day and cut on the next, by what its first line took: averages and percentiles drop, a filter for half a
#   second or more misses lines, and a search over both days mixes them. The _source shows each number whole. A mapping or dynamic template that makes
#   long and double a double keeps them.
# Output seen (2026-11-30): 0.75 first: float, average 0.7500, half a second or more 3 of 3
#   1 first: long, average 0.3333, half a second or more 1 of 3
# Source: https://docs.opensearch.org/latest/field-types/mapping-parameters/coerce/ (a decimal is truncated for an integer field), and
#   https://docs.opensearch.org/latest/field-types/ (dynamic mapping)
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
import java.util.List;
import java.util.Map;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.action.support.WriteRequest.RefreshPolicy;
import org.opensearch.client.Client;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.xcontent.XContentType;
import org.opensearch.index.query.QueryBuilders;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.search.aggregations.AggregationBuilders;
import org.opensearch.search.aggregations.metrics.Avg;
import org.opensearch.transport.Netty4Plugin;

public class Main {
  // OpenSearch, as its own start script begins a node.
  static class Single extends Node {
    Single(Settings settings) {
      super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "node"), List.of(Netty4Plugin.class), true);
    }
  }

  public static void main(String[] args) throws Exception {
    Settings settings = Settings.builder().put("path.home", args[0]).put("discovery.type", "single-node")
        .put("network.host", "127.0.0.1").put("http.port", 0).put("transport.port", 0)
        .put("http.type", "netty4").put("transport.type", "netty4")
        .put("cluster.routing.allocation.disk.threshold_enabled", false).build();
    try (Node node = new Single(settings).start()) {
      Client client = node.client();
      System.out.println("seen: 0.75 first: " + day(client, "logs-monday", "0.75", "0.5", "1"));
      System.out.println("seen: 1 first: " + day(client, "logs-tuesday", "1", "0.75", "0.5"));
    }
  }

  // What a day's index makes of its lines.
  static String day(Client client, String index, String... lines) {
    for (String seconds : lines) {
      client.prepareIndex(index).setSource("{\"seconds\":" + seconds + "}", XContentType.JSON).setRefreshPolicy(RefreshPolicy.IMMEDIATE).get();
    }
    Map<?, ?> mapping = client.admin().indices().prepareGetMappings(index).get().mappings().get(index).getSourceAsMap();
    Object type = ((Map<?, ?>) ((Map<?, ?>) mapping.get("properties")).get("seconds")).get("type");
    SearchResponse found = client.prepareSearch(index).addAggregation(AggregationBuilders.avg("average").field("seconds")).get();
    long slow = client.prepareSearch(index).setQuery(QueryBuilders.rangeQuery("seconds").gte(0.5)).get().getHits().getTotalHits().value;
    double average = ((Avg) found.getAggregations().get("average")).getValue();
    return String.format("%s, average %.4f, half a second or more %d of %d", type, average, slow, lines.length);
  }
}
JAVA
java -Xmx512m -cp 'lib/*' Main.java "$folder/node" > log 2>&1 || { cat log; exit 1; }
sed -n 's/^seen: //p' log | tee output.txt

diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
0.75 first: float, average 0.7500, half a second or more 3 of 3
1 first: long, average 0.3333, half a second or more 1 of 3
SEEN

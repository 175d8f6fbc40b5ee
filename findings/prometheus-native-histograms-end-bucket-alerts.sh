#!/usr/bin/env bash
# Prometheus that takes native histograms drops every `_bucket` series of CoreDNS, so that alerts on its latency never fire.
#
# Packages: github.com/coredns/coredns v1.15.0, github.com/prometheus/prometheus v0.316.0 (Go modules; Prometheus 3.16)
# Behavior: CoreDNS offers its histograms in both kinds, and has no option for it. With `scrape_native_histograms: true`, be it in `global` for another
#   application, Prometheus asks for the format that has both, and of a histogram in both it keeps the native one alone. An alert such
#   as histogram_quantile(0.99, rate(coredns_dns_request_duration_seconds_bucket[5m])) > 1, as in the published collections, then has no series: it
#   neither fires nor fails. `always_scrape_classic_histograms: true` keeps both.
# Output seen (2026-11-30): default: 17 bucket series, 0 native; scrape_native_histograms: 0 bucket series, 1 native; keeping classic ones: 17
#   bucket series, 1 native
# Source: https://github.com/coredns/coredns/blob/v1.15.0/plugin/metrics/vars/vars.go (NativeHistogramBucketFactor),
#   https://github.com/prometheus/prometheus/blob/v3.16.0/model/textparse/protobufparse.go, and
#   https://github.com/prometheus/prometheus/blob/v3.16.0/docs/configuration/configuration.md (always_scrape_classic_histograms)
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder CGO_ENABLED=0 go install github.com/coredns/coredns@v1.15.0

cat > Corefile <<'COREFILE'
.:5351 {
    prometheus 127.0.0.1:5352
    template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
    }
}
COREFILE
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"go.yaml.in/yaml/v2"
)

// The series of CoreDNS's latency that a scrape with these settings takes, as Prometheus asks and parses.
func scrape(settings string) string {
	var job config.ScrapeConfig
	must(yaml.Unmarshal([]byte("job_name: coredns\n"+settings), &job))
	must(job.Validate(config.DefaultGlobalConfig))
	request, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:5352/metrics", nil)
	must(err)
	var accepted []string
	for _, protocol := range job.ScrapeProtocols {
		accepted = append(accepted, config.ScrapeProtocolsHeaders[protocol])
	}
	request.Header.Set("Accept", strings.Join(accepted, ","))
	response, err := http.DefaultClient.Do(request)
	must(err)
	text, err := io.ReadAll(response.Body)
	must(err)
	parser, err := textparse.New(text, response.Header.Get("Content-Type"), labels.NewSymbolTable(), textparse.ParserOptions{
		IgnoreNativeHistograms:                  !job.ScrapeNativeHistogramsEnabled(),
		KeepClassicOnClassicAndNativeHistograms: job.AlwaysScrapeClassicHistogramsEnabled(),
	})
	must(err)
	buckets, natives := 0, 0
	for {
		kind, err := parser.Next()
		if err == io.EOF {
			return fmt.Sprintf("%d bucket series, %d native", buckets, natives)
		}
		must(err)
		if kind != textparse.EntrySeries && kind != textparse.EntryHistogram {
			continue
		}
		if kind == textparse.EntryHistogram {
			// As the scraper does: its classic series come after it has been read.
			parser.Histogram()
		}
		var series labels.Labels
		parser.Labels(&series)
		switch series.Get("__name__") {
		case "coredns_dns_request_duration_seconds_bucket":
			buckets++
		case "coredns_dns_request_duration_seconds":
			natives++
		}
	}
}

func main() {
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:5351")
	}}
	_, err := resolver.LookupIP(context.Background(), "ip4", "www.example.com.")
	must(err)
	// CoreDNS counts a query after its answer.
	time.Sleep(time.Second)
	fmt.Println("default:", scrape(""))
	fmt.Println("scrape_native_histograms:", scrape("scrape_native_histograms: true"))
	fmt.Println("keeping classic ones:", scrape("scrape_native_histograms: true\nalways_scrape_classic_histograms: true"))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/prometheus/prometheus@v0.316.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o scrape .

./coredns -conf Corefile >/dev/null 2>&1 &
sleep 2
./scrape | tee output.txt
grep -Eq '^default: [1-9][0-9]* bucket series, 0 native$' output.txt || { echo "changed: the default takes other series"; exit 1; }
grep -Eq '^scrape_native_histograms: 0 bucket series, [1-9][0-9]* native$' output.txt || { echo "changed: buckets stay with native histograms"; exit 1; }
grep -Eq '^keeping classic ones: [1-9][0-9]* bucket series, [1-9][0-9]* native$' output.txt || { echo "changed: the setting does not keep buckets"; exit 1; }

#!/usr/bin/env bash
# The OpenTelemetry Collector ends a long line of stdout with what the container wrote to stderr in between.
#
# Package: github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver v0.156.0 (Go module; the operator `container`)
# Behavior: a container's file has the lines of both streams, and a runtime splits what is longer than 16 KiB into parts. The operator `container`
#   joins parts by the file that they come from, not by their stream: the next line of stderr becomes the end of the line, as a record of
#   stdout, and the real end is a record of its own. So an error that is logged in between is in no record of stderr, and neither half is valid
#   JSON any more. Two operators, each with an `if` for one stream, keep them apart.
# Output seen (2026-11-30): stdout: gin and end"}; stdout: {"long": "be[a warning]
#   one operator for each stream: stderr: [a warning]; stdout: {"long": "begin and end"}
# Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/pkg/stanza/operator/parser/container/config.go
#   (createRecombine), against https://github.com/kubernetes/cri-client/blob/v0.36.3/pkg/logs/logs.go (kubectl logs: each part to its stream)
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > 0.log <<'LOG'
2026-11-30T10:00:00.1Z stdout P {"long": "be
2026-11-30T10:00:00.2Z stderr F [a warning]
2026-11-30T10:00:00.3Z stdout F gin and end"}
LOG
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// The records of the file, sorted, by one operator for each of these conditions.
func records(conditions ...string) string {
	var operators []any
	for i, condition := range conditions {
		operators = append(operators, map[string]any{
			"type": "container", "id": fmt.Sprintf("container-%d", i), "if": condition, "add_metadata_from_filepath": false,
		})
	}
	factory := filelogreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	must(confmap.NewFromStringMap(map[string]any{
		"include": []any{"0.log"}, "start_at": "beginning", "include_file_path": true, "operators": operators,
	}).Unmarshal(config))
	sink := new(consumertest.LogsSink)
	receiver, err := factory.CreateLogs(context.Background(), receivertest.NewNopSettings(factory.Type()), config, sink)
	must(err)
	must(receiver.Start(context.Background(), componenttest.NewNopHost()))
	for tries := 0; sink.LogRecordCount() < 2 && tries < 100; tries++ {
		time.Sleep(100 * time.Millisecond)
	}
	must(receiver.Shutdown(context.Background()))
	var seen []string
	for _, logs := range sink.AllLogs() {
		lines := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		for i := range lines.Len() {
			stream, _ := lines.At(i).Attributes().Get("log.iostream")
			seen = append(seen, stream.Str()+": "+lines.At(i).Body().Str())
		}
	}
	// Two operators send at times of their own.
	slices.Sort(seen)
	return strings.Join(seen, "; ")
}

func main() {
	fmt.Println(records("true"))
	fmt.Println("one operator for each stream:", records(`body contains " stdout "`, `attributes["log.iostream"] == nil`))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver@v0.156.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o read .

./read | tee output.txt
diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
stdout: gin and end"}; stdout: {"long": "be[a warning]
one operator for each stream: stderr: [a warning]; stdout: {"long": "begin and end"}
SEEN
